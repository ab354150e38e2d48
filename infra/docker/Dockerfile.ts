/** The Dockerfile as its tests read it: stages, arguments, the last word on each instruction. */
import { join } from "node:path"

export const root = join(import.meta.dirname, "../..")

export interface Stage {
  readonly name: string | undefined
  readonly from: string
  /** Its instructions, a continued line as one. */
  readonly text: string
}

export const dockerfile = (text: string) => {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/ *\\\n\s*/g, " \\ ")
  const [head = "", ...bodies] = lines.split(/^FROM /m)
  const stages = bodies.map((body): Stage => {
    const [, from = "", name] = /^(\S+)(?: AS (\w+))?/.exec(body) ?? []
    return { from, name, text: body }
  })
  return {
    stages,
    names: new Set(stages.flatMap(({ name }) => (name === undefined ? [] : [name]))),
    args: Object.fromEntries(
      [...head.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [name!, value!]),
    ),
  }
}

/** What ENV gives. */
export const imageEnvironment = ({ text }: Stage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...text.matchAll(/^ENV (.+)$/gm)].flatMap(([, line]) =>
      line!.split(" ").map((pair) => pair.split("=") as [string, string]),
    ),
  )

/** The words of an instruction in its exec form, `CMD ["node", "infra/main.ts"]`; of HEALTHCHECK those of its command. */
export const wordsOf = (
  { text }: Stage,
  instruction: "CMD" | "ENTRYPOINT" | "HEALTHCHECK",
): ReadonlyArray<string> => {
  const line = new RegExp(`^${instruction}\\b.*?(\\[.*\\])$`, "m").exec(text)
  return line === null ? [] : (JSON.parse(line[1]!) as ReadonlyArray<string>)
}
