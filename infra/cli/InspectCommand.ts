/** `troupe inspect`: the NATS commands that listen to the bus; with `--config`, the users for a nats-server of your own. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { Settings } from "../../runtime/index.ts"
import { CliError } from "./Client.ts"

/** What can be asked of the bus, by whoever may only listen. */
export const commandsOf = (context: string): ReadonlyArray<string> =>
  ["sub 'troupe.>'", "stream ls", "consumer ls", "micro ls", "micro info troupe", "micro stats troupe"].map(
    (rest) => `nats --context ${context} ${rest}`,
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
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false)),
  },
  Effect.fnUntraced(function* (flags) {
    const { home, natsUrl } = yield* Settings
    if (flags.config) {
      const text = yield* config(home)
      return yield* Console.log(flags.json ? JSON.stringify({ config: text }) : text.trimEnd())
    }
    const context = resolve(home, "nats/inspector.json")
    if (Option.isSome(natsUrl) && !existsSync(context))
      return yield* new CliError({
        message:
          "The NATS server is yours: `troupe inspect --config` prints a user who may listen, and docs/bus.md the commands.",
      })
    const commands = commandsOf(context)
    yield* Console.log(flags.json ? JSON.stringify({ context, commands }) : commands.join("\n"))
  }),
).pipe(Command.withDescription("The NATS commands that listen to the bus"))
