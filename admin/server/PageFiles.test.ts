import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PageFiles } from "./PageFiles.ts"

/** A folder whose build does as told. */
const folder = (build: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = mkdtempSync(join(tmpdir(), "troupe-page-"))
      writeFileSync(join(path, "Build.ts"), build)
      return path
    }),
    (path) => Effect.sync(() => rmSync(path, { recursive: true })),
  )

const eventually = (look: () => boolean) =>
  Effect.sleep("10 millis").pipe(Effect.repeat({ until: look }), Effect.timeout("10 seconds"))

it.live("builds a page that is not there, and serves it from then on", () =>
  Effect.gen(function* () {
    const path = yield* folder(`
      import { mkdirSync, writeFileSync } from "node:fs"
      const dist = import.meta.dirname + "/dist"
      mkdirSync(dist)
      writeFileSync(dist + "/index.html", "hello")
      writeFileSync(dist + "/files.json", JSON.stringify({ files: [{ path: "index.html", gzip: false }] }))`)
    yield* Effect.gen(function* () {
      const files = yield* PageFiles
      expect([files.find("/index.html"), files.building()]).toEqual([undefined, "building"])
      yield* eventually(() => files.find("/index.html") !== undefined)
      expect(String(files.find("/index.html")!.bytes)).toBe("hello")
    }).pipe(Effect.provide(PageFiles.layerFrom(path)))
  }).pipe(Effect.scoped),
)

it.live("says that a page cannot be built, and works all the same", () =>
  Effect.gen(function* () {
    const path = yield* folder(`throw new Error("no bundler here")`)
    yield* Effect.gen(function* () {
      const files = yield* PageFiles
      yield* eventually(() => files.building() === "impossible")
      expect(files.find("/index.html")).toBeUndefined()
    }).pipe(Effect.provide(PageFiles.layerFrom(path)))
  }).pipe(Effect.scoped),
)
