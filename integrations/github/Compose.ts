/** A comment as it stands on GitHub: who speaks, the words, what was done for them, the mark. At most 65,536 characters. */
import type { Say } from "../../runtime/index.ts"
import { marker } from "./Marker.ts"
import { maxText, split } from "./Split.ts"

/** What the turn did, for its receipt. */
export interface Receipts {
  readonly tools: ReadonlyArray<{
    readonly tool: string
    readonly summary: string
    readonly ok: boolean | null
    readonly exitCode: number | null
    readonly ms: number | null
  }>
  /** US dollars; null while it works. */
  readonly cost: number | null
  readonly ms: number | null
}

const mostShown = 20
const mostOfLine = 160
const working = "Working on it …"

/** `waited`: how long GitHub's limits held the words back, in milliseconds. */
export const compose = (say: Say, agent: string, receipts: Receipts | undefined, waited = 0): string => {
  const words = say.text.length <= maxText ? say.text : (split(say.text)[0] ?? "")
  const text = say.final || words.trim() !== "…" ? words : working
  const parts = [
    ...(say.signature === "" ? [] : [`**${say.signature.slice(0, 100).toWellFormed()}**`]),
    ...(text.trim() === "" ? ["…"] : [text]),
    // GitHub takes no files from an App: who is of the company finds it on the page.
    ...(say.file === undefined
      ? []
      : [`_${code(say.file.name)}, ${say.file.size} bytes: see this room on Troupe's page._`]),
    ...(receipts === undefined ? [] : receiptsOf(receipts, say.final, waited)),
    marker({ key: `${say.turn}/${say.part}`, agent }),
  ]
  return parts.join("\n\n")
}

const receiptsOf = ({ tools, cost, ms }: Receipts, final: boolean, waited: number): ReadonlyArray<string> => {
  if (tools.length === 0 && waited === 0) return []
  const facts = [
    ...(tools.length === 0 ? [] : [`${tools.length} ${tools.length === 1 ? "step" : "steps"}`]),
    ...(ms === null ? [] : [seconds(ms)]),
    ...(cost === null ? [] : [`$${cost.toFixed(cost < 0.1 ? 3 : 2)}`]),
    ...(waited < 1_000 ? [] : [`waited ${seconds(waited)} for GitHub's limits`]),
  ]
  const shown = tools.slice(-mostShown)
  const lines = shown.map((t) => {
    const took = t.ms === null ? "" : `, ${seconds(t.ms)}`
    const end =
      t.ok === null
        ? "outcome unknown"
        : t.exitCode !== null
          ? `exit ${t.exitCode}`
          : t.ok
            ? "done"
            : "failed"
    return `- ${code(t.tool === "shell" ? t.summary : `${t.tool} ${t.summary}`.trim())}: ${end}${took}`
  })
  const more = tools.length > shown.length ? [`- … ${tools.length - shown.length} earlier`] : []
  const list = [...more, ...lines].join("\n")
  return [
    `<details><summary>${final ? "" : "so far: "}${facts.join(", ")}</summary>\n\n${list}\n\n</details>`,
  ]
}

/** One line of code that its own text cannot end. */
const code = (text: string): string => {
  const line = text.replace(/\s+/g, " ").replace(/`{4,}/g, "```").slice(0, mostOfLine).toWellFormed()
  const fence = "`".repeat(1 + Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)))
  return fence.length > 1 ? `${fence} ${line} ${fence}` : `\`${line}\``
}

const seconds = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
