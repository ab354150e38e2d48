/**
 * `troupe apply`: the running company takes up a changed troupe.yaml. Agents (who works here, where, with what soul and model)
 * change at once. Integrations, budgets and prices are taken at start, so a file that changes them is refused whole, and says so.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { env } from "node:process"
import { Conflict, Unavailable } from "../admin/index.ts"
import {
  Company,
  Roster,
  Settings,
  TroupeYaml,
  type Bus,
  type Secrets,
  type Sql,
  type TroupeConfig,
} from "../runtime/index.ts"
import { integrationTypes } from "./Doors.ts"

type Config = TroupeConfig<typeof integrationTypes>

/** `started` is the configuration that this process runs with. */
export const applying = Effect.fnUntraced(function* (started: Config) {
  const { configFile } = yield* Settings
  const roster = yield* Roster
  const services = yield* Effect.context<Bus | Secrets | Sql>()
  return Effect.gen(function* () {
    const config = yield* TroupeYaml.load(configFile, { env, types: integrationTypes }).pipe(
      Effect.provide(NodeFileSystem.layer),
    )
    const fixed = atStartOnly(started, config)
    if (fixed.length > 0)
      return yield* new Conflict({
        error: `Nothing was applied, because this is taken at start only: ${fixed.join(", ")}. Restart Troupe.`,
      })
    yield* Effect.andThen(Company.apply(roster.ws, config), roster.reload).pipe(
      Effect.provideContext(services),
      Effect.mapError(
        (e) =>
          new Unavailable({
            error: `It could not be applied (${e.message}): try again in a moment.`,
          }),
      ),
    )
    return { agents: config.agents.map((a) => a.name) }
  })
})

/** What differs and cannot change while it runs, in words. */
export const atStartOnly = (started: Config, next: Config): ReadonlyArray<string> => {
  const was = new Map<string, unknown>(started.integrations.map((i) => [i.name, i]))
  const is = new Map<string, unknown>(next.integrations.map((i) => [i.name, i]))
  const names = [...new Set([...was.keys(), ...is.keys()])]
  return [
    ...names
      .filter((name) => !Equal.equals(was.get(name), is.get(name)))
      .map((name) => `integration ${name}`),
    ...(Equal.equals(started.budgets, next.budgets) ? [] : ["budgets"]),
    ...(Equal.equals(started.keep, next.keep) ? [] : ["keep"]),
    ...(Equal.equals(started.prices, next.prices) ? [] : ["prices"]),
  ]
}
