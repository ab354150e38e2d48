/** `troupe apply`: a changed troupe.yaml, checked here or taken up by the running company. Exit 78 when the file is wrong. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { env } from "node:process"
import { Settings, TroupeYaml, type ConfigError } from "../../runtime/index.ts"
import { call } from "./Client.ts"
import { json, print } from "./Output.ts"

const handles = (agents: ReadonlyArray<string>) => agents.map((name) => `@${name}`).join(", ")

/** With this shell's environment: a variable that only the running Troupe has is missing here. */
const check = Effect.fnUntraced(function* (asJson: boolean) {
  const { configFile } = yield* Settings
  const { integrationTypes } = yield* Effect.promise(() => import("../Doors.ts"))
  const config = yield* TroupeYaml.load(configFile, { env, types: integrationTypes }).pipe(
    Effect.provide(NodeFileSystem.layer),
  )
  const agents = config.agents.map((a) => a.name)
  const integrations = config.integrations.map((i) => i.name)
  yield* print(asJson, { valid: true, agents, integrations }, [
    `${configFile} is fine: ${handles(agents)} in ${integrations.join(", ")}.`,
  ])
})

/** The running Troupe reads its own file, with its own environment: no secret passes between the two. */
const take = Effect.fnUntraced(function* (asJson: boolean) {
  const answer = yield* call("POST /api/apply")
  yield* print(asJson, answer, [`Applied: ${handles(answer.agents)} work here.`])
})

export const apply = Command.make(
  "apply",
  {
    check: Flag.Boolean("check").pipe(
      Flag.withDescription("Only check the file; Troupe need not run"),
      Flag.withDefault(false),
    ),
    json,
  },
  (flags) =>
    (flags.check ? check(flags.json) : take(flags.json)).pipe(
      Effect.tapError((error) =>
        flags.json && error._tag === "ConfigError"
          ? Console.log(JSON.stringify({ valid: false, problems: (error as ConfigError).problems }))
          : Effect.void,
      ),
    ),
).pipe(Command.withDescription("Take up a changed troupe.yaml: the agents now, the rest at the next start"))
