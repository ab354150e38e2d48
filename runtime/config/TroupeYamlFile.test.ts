import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { load } from "./TroupeYaml.ts"

const nowhere = join(mkdtempSync(join(tmpdir(), "troupe-yaml-")), "troupe.yaml")
const loaded = (env: Record<string, string>) =>
  Effect.runPromise(
    load(nowhere, { env, types: { web: { schema: Schema.Struct({}) } } }).pipe(
      Effect.provide(NodeFileSystem.layer),
    ),
  )

it("without a file there is the built-in company", async () => {
  expect((await loaded({})).agents.map((a) => a.name)).toEqual(["ada", "bo"])
})

it("a file that TROUPE_CONFIG names and that is not there is an error, so that a slip sends nobody home", () =>
  expect(loaded({ TROUPE_CONFIG: nowhere })).rejects.toThrow(
    "There is no such file; correct or unset TROUPE_CONFIG.",
  ))
