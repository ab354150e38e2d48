/** The contract of the `Sandbox` port, over the real client and this server. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { Sprites } from "../../../integrations/sprites/index.ts"
import { suite } from "../../../integrations/sprites/SandboxSuite.ts"
import { start } from "./LocalSprites.ts"
import { remove, temporaryHome } from "./testing/TestSprites.ts"

const layer = Layer.unwrap(
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(Effect.sync(temporaryHome), (home) =>
      Effect.sync(() => remove(home)),
    )
    const { url, token } = yield* start({ home, file: join(home, "sprites.json"), unsafeLocalExec: false })
    return Sprites.layer({ baseUrl: url, token: Redacted.make(token) })
  }).pipe(Effect.orDie),
)

suite("local Sprites server", layer)
