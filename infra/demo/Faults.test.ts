import { describe, expect, it } from "vitest"
import type { Seen } from "../emulators/telegram/index.ts"
import { faultsIn } from "./Faults.ts"

const seen = (id: number, text: string, replyTo: number | null, isBot = true): Seen => ({
  id,
  from: { id: isBot ? 1000 : 1, name: isBot ? "troupe_bot" : "Eva", username: null, isBot },
  date: 0,
  topic: null,
  replyTo,
  text,
  entities: [],
  file: null,
  editDate: null,
  edits: [],
  buttons: [],
  extra: {},
})
const question = seen(1, "@ada are you there?", null, false)
const answer = seen(2, "ada\nyes\n\n— rehearsal, not a model", 1)
const faults = (...said: ReadonlyArray<Seen>) => faultsIn([question, ...said], [{ message: 1, agent: "ada" }])

describe("the chat of the demo", () => {
  it("is right when the question is answered once, by the one who was asked", () => {
    expect(faults(answer)).toEqual([])
  })

  it("is wrong when the answer is missing, unfinished, doubled or another's", () => {
    expect(faults()).toEqual(["message 1 has no answer"])
    expect(faults(seen(2, "ada\nworking …", 1))).toEqual(["the answer to message 1 is not finished"])
    expect(faults(answer, { ...answer, id: 3, text: "ada\nyes, again\n\n— rehearsal, not a model" })).toEqual(
      ["message 1 has 2 answers"],
    )
    expect(faults(answer, seen(3, "ada\nworking …", 1))).toEqual(["message 1 has 2 answers"])
    expect(faults({ ...answer, text: answer.text.replace("ada", "bo") })).toEqual([
      "message 1 was not answered by ada",
    ])
  })

  it("is wrong when an agent speaks unasked", () => {
    expect(faults(answer, seen(3, "bo\nI too", null))).toEqual(["1 messages answer nothing that was asked"])
  })
})
