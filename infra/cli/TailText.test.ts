import { describe, expect, it } from "vitest"
import type { Event } from "../../runtime/index.ts"
import { TailText } from "./TailText.ts"

const said = (pos: number, turn: string, text: string) =>
  ({
    kind: "message",
    pos,
    turn,
    text,
    edits: null,
    author: { kind: "agent", id: turn === "t1" ? "a" : "b", name: turn === "t1" ? "ada" : "bo" },
  }) as Event
const tool = { kind: "tool", pos: 2, agent: "a", state: "started" } as Event
const fresh = () => new TailText([["a", "ada"]])

describe("a live room as text", () => {
  it("shows words once: as they come, and not again when they are final", () => {
    const text = fresh()
    const shown = [
      text.delta({ turn: "t1", agent: "a", text: "Hello\nthere" }),
      text.delta({ turn: "t1", agent: "a", text: ", Eva" }),
      text.event(said(3, "t1", "Hello\nthere, Eva")),
    ]
    expect(shown.join("")).toBe("   …  ada: Hello\n      there, Eva\n")
  })

  it("lets nobody's words move the cursor or rename the window", () => {
    const text = fresh()
    const shown =
      text.delta({ turn: "t1", agent: "a", text: "a\u001b[2J" }) +
      text.event(said(3, "t2", "b\u001b]0;x\u0007\u009b1A"))
    expect(shown).not.toMatch(/[^\P{Cc}\n]/u)
    expect(shown).toContain("b\ufffd]0;x")
  })

  it("shows the final words in full when a piece was missed", () => {
    const text = fresh()
    text.delta({ turn: "t1", agent: "a", text: "lo" })
    expect(text.event(said(3, "t1", "Hello"))).toBe("\n   3  ada: Hello\n")
  })

  it("never mixes two agents: the second is shown when its words are final", () => {
    const text = fresh()
    text.delta({ turn: "t1", agent: "a", text: "One" })
    expect(text.delta({ turn: "t2", agent: "b", text: "Two" })).toBe("")
    expect(text.event(said(3, "t1", "One"))).toBe("\n")
    expect(text.event(said(4, "t2", "Two"))).toBe("   4  bo: Two\n")
  })

  it("ends the line of words that a tool interrupts, and hears what comes after it", () => {
    const text = fresh()
    text.delta({ turn: "t1", agent: "a", text: "Let me see." })
    expect(text.event(tool)).toBe("\n")
    expect(text.delta({ turn: "t1", agent: "a", text: "Done." })).toBe("   …  ada: Done.")
    expect(text.event(said(3, "t1", "Done."))).toBe("\n")
  })
})
