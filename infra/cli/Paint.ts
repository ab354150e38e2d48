/** Colour, on a terminal only; NO_COLOR is respected. What others said brings no control characters of its own. */
import { env, stdout } from "node:process"

const colours = stdout.isTTY && (env["NO_COLOR"] ?? "") === ""

const code = (n: number) => (text: string) => (colours && text !== "" ? `\u001b[${n}m${text}\u001b[0m` : text)

export const bold = code(1)
export const dim = code(2)
export const red = code(31)

/** Words from a room, a tool or a platform could otherwise move the cursor, rename the window or turn lines round. */
export const harmless = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd")
