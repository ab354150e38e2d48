/** Colour, on a terminal only; NO_COLOR is respected. */
import { env, stdout } from "node:process"

const colours = stdout.isTTY && (env["NO_COLOR"] ?? "") === ""

const code = (n: number) => (text: string) => (colours && text !== "" ? `\u001b[${n}m${text}\u001b[0m` : text)

export const bold = code(1)
export const dim = code(2)
export const red = code(31)
