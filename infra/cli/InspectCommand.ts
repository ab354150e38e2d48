/** `troupe inspect`: the NATS commands that listen to the bus; with `--config`, the users for a nats-server of your own. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Settings, SettingsError } from "../../runtime/index.ts"
import { inspectorOn } from "../embedded/OutsiderFile.ts"
import { parseNatsUrl } from "../NatsUrl.ts"
import { CliError } from "./Client.ts"
import { json, print } from "./Output.ts"

/** What can be asked of the bus, by whoever may only listen. */
export const commandsOf = (nats: string): ReadonlyArray<string> =>
  ["sub 'troupe.>'", "stream ls", "consumer ls", "micro ls", "micro info troupe", "micro stats troupe"].map(
    (rest) => `${nats} ${rest}`,
  )

const config = Effect.fnUntraced(function* (home: string) {
  const file = join(home, "nats/users.conf")
  return yield* Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: () =>
      new CliError({ message: `There is no ${file} yet: start Troupe once, and it writes it down.` }),
  })
})

export const inspect = Command.make(
  "inspect",
  {
    config: Flag.Boolean("config").pipe(
      Flag.withDescription("Print the users and permissions for a nats-server of your own"),
      Flag.withDefault(false),
    ),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const { home, natsUrl } = yield* Settings
    if (flags.config) {
      const text = yield* config(home)
      return yield* print(flags.json, { config: text }, [text.trimEnd()])
    }
    if (Option.isSome(natsUrl)) {
      const { url } = yield* Effect.fromResult(parseNatsUrl(natsUrl.value)).pipe(
        Effect.mapError((message) => new SettingsError({ message })),
      )
      const commands = commandsOf(inspectorOn(url))
      return yield* print(flags.json, { context: null, commands }, commands)
    }
    const context = resolve(home, "nats/inspector.json")
    const commands = commandsOf(`nats --context ${context}`)
    yield* print(flags.json, { context, commands }, commands)
  }),
).pipe(Command.withDescription("The NATS commands that listen to the bus"))
