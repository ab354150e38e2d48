/** Files between people on Telegram and an agent's computer, both ways. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { blocksOf, say, useTool } from "../emulators/anthropic/index.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())

it("a document is put to work, and what comes of it is shown in the chat, once, also through a crash", async () => {
  const { chat, person } = s.private()
  s.ai.script(
    useTool("attachment", { name: "words.txt" }),
    useTool("shell", { command: "tr a-z A-Z < ~/attachments/words.txt > loud.txt" }),
    useTool("share_file", { path: "loud.txt", caption: "Louder." }),
    say("There you are."),
    say("There you are."),
  )
  // Killed when the file is there and nothing says so yet.
  s.killWhen(({ message }) => message.file?.stored.name === "loud.txt")
  s.tg.sendDocument(chat, person, {
    bytes: Buffer.from("hello"),
    name: "words.txt",
    caption: "make it louder",
  })
  await s.until(chat, (seen) => seen.some((m) => m.from.isBot && m.file !== null))
  await s.runtime.end()
  await s.runtime.start()
  const seen = await s.until(chat, (now) => now.some((m) => m.text === "There you are."))
  const files = seen.flatMap((m) => (m.from.isBot && m.file !== null ? [m] : []))
  expect(
    files.map((m) => [m.text, m.file!.stored.name, Buffer.from(m.file!.stored.bytes).toString()]),
  ).toEqual([["Louder.", "loud.txt", "HELLO"]])
  const results = s.ai.requests.flatMap((r) => blocksOf(r.request.messages.at(-1)!.content))
  expect(JSON.stringify(results)).toContain("loud.txt is in the room.")
})
