import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { expect, it } from "vitest"
import { startSprites } from "./testSprites.ts"
import { Sandbox, Sprites } from "../../integrations/sprites/index.ts"
import { withNetwork } from "./Network.ts"

it("an agent's computer has the network its agent is allowed, and keeps what was set where nothing is said", async () => {
  const sprites = await startSprites()
  const layer = Sprites.layer({ baseUrl: sprites.url, token: Redacted.make(sprites.token) })
  let hosts: ReadonlyArray<string> | undefined = ["example.com"]
  await Effect.gen(function* () {
    const sandbox = withNetwork(yield* Sandbox, () => hosts)
    const rules = Effect.gen(function* () {
      return (yield* (yield* sandbox.open("net")).network).map((r) => `${r.action} ${r.domain}`)
    })
    expect(yield* rules).toEqual(["allow example.com"])
    hosts = ["*.example.org"]
    expect(yield* rules).toEqual(["allow *.example.org"])
    hosts = undefined
    yield* (yield* sandbox.open("net")).setNetwork([{ domain: "example.net", action: "allow" }])
    expect(yield* rules).toEqual(["allow example.net"])
    hosts = []
    expect(yield* rules).toEqual([])
  }).pipe(Effect.provide(layer), Effect.runPromise)
  await sprites.stop()
})
