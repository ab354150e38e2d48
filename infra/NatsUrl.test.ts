import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { expect, it } from "vitest"
import { parseNatsUrl } from "./NatsUrl.ts"

const parse = (text: string) => Result.getOrUndefined(parseNatsUrl(Redacted.make(text)))

it("takes user and password out of what may be shown", () => {
  const parsed = parse("nats://runtime:p%40ss@nats.example.com:4222")!
  expect(parsed).toMatchObject({ url: "nats://nats.example.com:4222", user: "runtime" })
  expect(Redacted.value(parsed.password!)).toBe("p@ss")
  expect(JSON.stringify(parsed)).not.toContain("p@ss")
})

it("needs no scheme, and takes a cluster", () => {
  expect(parse("localhost:4222")).toEqual({ url: "nats://localhost:4222" })
  expect(parse("nats://a:1@one:4222, tls://two:4222")).toMatchObject({
    url: "tls://one:4222,tls://two:4222",
    user: "a",
  })
})

it("refuses what is no address, without repeating it", () => {
  for (const text of ["http://user:secret@x", "nats://", "nats://a:secret@x:port", ""]) {
    const refused = Result.getFailure(parseNatsUrl(Redacted.make(text)))
    expect(JSON.stringify(refused), text).toContain("write it like")
    expect(JSON.stringify(refused)).not.toContain("secret")
  }
})
