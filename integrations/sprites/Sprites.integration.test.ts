import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { start } from "../../infra/embedded/sprites/index.ts"
import { suite } from "./SandboxSuite.ts"
import { layer } from "./Sprites.ts"

const local = Effect.gen(function* () {
  const home = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-test-sprites-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 })),
  )
  const { url, token } = yield* start({ home, file: join(home, "sprites.json"), unsafeLocalExec: true })
  return layer({ baseUrl: url, token: Redacted.make(token) })
})

suite("@fly/sprites and the local server", Layer.orDie(Layer.unwrap(local)))
