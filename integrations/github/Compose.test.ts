import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Say } from "../../runtime/door/Outward.ts"
import type { AgentId, TurnId } from "../../runtime/room/Id.ts"
import { compose } from "./Compose.ts"
import { markOf } from "./Marker.ts"
import { maxText, split } from "./Split.ts"

const say = (text: string, more: Partial<Say> = {}): Say => ({
  channel: "1/1",
  replyTo: null,
  text,
  signature: "",
  agent: "a" as AgentId,
  turn: "u1" as TurnId,
  part: 0,
  final: true,
  ...more,
})
const tools = (n: number, summary = "npm test") =>
  Array.from({ length: n }, () => ({ tool: "shell", summary, ok: true, exitCode: 0, ms: 1_000 }))

describe("long answers", () => {
  it("are cut so that the slices joined are the source, and each fits", () => {
    const paragraph = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.constantFrom("\n\n", "\n", "```\n", "~~~~\n", "> a\n", "😀😀😀", "x".repeat(300)),
    )
    fc.assert(
      fc.property(
        fc.array(paragraph, { maxLength: 60 }),
        fc.integer({ min: 50, max: 400 }),
        (parts, most) => {
          const text = parts.join("")
          const slices = split(text, most)
          expect(slices.join("")).toBe(text)
          for (const slice of slices) {
            expect(slice.length).toBeLessThanOrEqual(most)
            if (text.isWellFormed()) expect(slice.isWellFormed()).toBe(true)
          }
        },
      ),
      { numRuns: 400, seed: 5 },
    )
  })

  it("are cut between paragraphs and not inside of code", () => {
    const code = `\`\`\`\n${"line\n\n".repeat(8)}\`\`\`\n`
    const text = `${"words ".repeat(10)}\n\n${code}${"more ".repeat(10)}`
    const [first] = split(text, 130)
    expect(first!.match(/```/g)).toHaveLength(2)
    expect(split("short")).toEqual(["short"])
    expect(split("")).toEqual([""])
  })
})

describe("a comment", () => {
  it("has at most 65,536 characters whatever it is made of, and ends in its mark", () => {
    const body = compose(
      say("w".repeat(maxText + 10), { signature: "s".repeat(500) }),
      "ada",
      { tools: tools(500, "`".repeat(300)), cost: 1, ms: 1 },
      99_000,
    )
    expect(body.length).toBeLessThanOrEqual(65_536)
    expect(markOf(body)).toEqual({ key: "u1/0", agent: "ada" })
  })

  it("tells what was done: commands, exit codes, time, money", () => {
    const body = compose(say("Done."), "ada", {
      tools: [
        { tool: "shell", summary: "npm test", ok: false, exitCode: 1, ms: 3_200 },
        { tool: "shell", summary: "a `b` c", ok: true, exitCode: null, ms: 12_345 },
        { tool: "github_push", summary: "", ok: null, exitCode: null, ms: null },
      ],
      cost: 0.0312,
      ms: 65_000,
    })
    expect(body).toBe(
      "Done.\n\n<details><summary>3 steps, 65 s, $0.031</summary>\n\n" +
        "- `npm test`: exit 1, 3.2 s\n- `` a `b` c ``: done, 12 s\n- `github_push`: outcome unknown\n\n</details>\n\n<!-- troupe u1/0 @ada -->",
    )
  })

  it("of a short answer has no receipt, and while there are no words it says that it works", () => {
    expect(compose(say("Hi."), "ada", { tools: [], cost: 0.001, ms: 500 })).toBe(
      "Hi.\n\n<!-- troupe u1/0 @ada -->",
    )
    expect(compose(say("…", { final: false }), "ada", undefined)).toMatch(/^Working on it …\n/)
    expect(compose(say("…"), "ada", undefined)).toMatch(/^…\n/)
  })
})

it("a file, which GitHub does not take, is named with where to find it", () => {
  const file = { kind: "document", name: "report.txt", mime: "text/plain", size: 27, blob: null } as const
  expect(compose(say("The report", { file }), "ada", undefined)).toContain(
    "The report\n\n_`report.txt`, 27 bytes: see this room on Troupe's page._",
  )
})
