import * as Result from "effect/Result"
import { expect, it } from "vitest"
import { TroupeYaml } from "../runtime/index.ts"
import { atStartOnly } from "./Applying.ts"
import { integrationTypes } from "./Doors.ts"

const read = (text: string) =>
  Result.getOrThrow(TroupeYaml.parse("troupe.yaml", text, { env: {}, types: integrationTypes }))
const chat = (token: string, name = "chat") =>
  `integrations: [{ name: ${name}, type: telegram, token: "${token}", allow: { users: [7], chats: [] } }]`

it("agents may change while it runs", () => {
  const next = `agents: [{ name: cy, title: Writer, soul: You write. }]\n${chat("1:a")}`
  expect(atStartOnly(read(chat("1:a")), read(next))).toEqual([])
})

it("names what is taken at start only, a changed secret too, and never the secret", () => {
  const was = read(chat("1:a"))
  expect(atStartOnly(was, read(chat("1:b")))).toEqual(["integration chat"])
  expect(atStartOnly(was, read(chat("1:a", "other")))).toEqual(["integration chat", "integration other"])
  expect(atStartOnly(was, read(`${chat("1:a")}\nbudgets: { perRoot: 2 }`))).toEqual(["budgets"])
  expect(atStartOnly(was, read(`${chat("1:a")}\nprices: { m: { input: 1, output: 2 } }`))).toEqual(["prices"])
})
