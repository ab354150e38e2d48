/** What a write changed, as a unified diff of at most `OUTPUT_CAP` characters. */
import { createTwoFilesPatch } from "diff"
import { capText, OUTPUT_CAP } from "../../sprite/index.ts"

/** Two texts without likeness take time that grows with the square of their length, and this stops the event loop. */
const WITHIN_MS = 100

export const unifiedDiff = (path: string, before: string | null, after: string): string => {
  if (before === after) return `${path} is unchanged: it had this content already.`
  const diff = createTwoFilesPatch(before === null ? "/dev/null" : path, path, before ?? "", after, "", "", {
    context: 3,
    timeout: WITHIN_MS,
  })
  if (diff === undefined)
    return `Wrote ${path} (${lines(after)} lines, before ${lines(before ?? "")}); the change is too large to show.`
  return capText(diff.replace(/^(?:Index: .*\n)?=+\n/, "").replace(/\t$/gm, ""), OUTPUT_CAP, path)
}

const lines = (text: string): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0)
