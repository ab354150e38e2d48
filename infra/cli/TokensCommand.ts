/** `troupe tokens`: what programs call the API with. A new one is shown once, alone on its line, for a file or a pipe. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { roles } from "../../admin/api/Needs.ts"
import { call } from "./Client.ts"
import { json, print } from "./Output.ts"
import { bold, dim, harmless } from "./Paint.ts"

const add = Command.make(
  "add",
  {
    name: Argument.String("name").pipe(Argument.withDescription("What it is for: prometheus")),
    role: Flag.Literals("role", roles).pipe(
      Flag.withDescription("What it may do at most"),
      Flag.withDefault("viewer"),
    ),
    days: Flag.Int("days").pipe(Flag.withDescription("Ends after so many days"), Flag.optional),
    json,
  },
  Effect.fnUntraced(function* ({ name, role, days, json: asJson }) {
    const answer = yield* call("POST /api/tokens", { body: { name, role, days: Option.getOrNull(days) } })
    yield* print(asJson, answer, [answer.token])
  }),
).pipe(Command.withDescription("Make a token; it is shown this once"))

const drop = Command.make(
  "drop",
  { id: Argument.String("id").pipe(Argument.withDescription("As `troupe tokens` shows it")), json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call("DELETE /api/tokens/:id", { params: { id: flags.id } })
    yield* print(flags.json, answer, ["It ended."])
  }),
).pipe(Command.withDescription("End a token, at once"))

export const tokens = Command.make(
  "tokens",
  { json },
  Effect.fnUntraced(function* (flags) {
    const { tokens: all } = yield* call("GET /api/tokens")
    const used = (at: string | null) => (at === null ? "never used" : `used ${at}`)
    yield* print(
      flags.json,
      all,
      all.length === 0
        ? ["No tokens yet: make one with `troupe tokens add <name>`."]
        : all.map((t) => `${dim(t.id)}  ${bold(harmless(t.name))}  ${t.role}, ${used(t.usedAt)}`),
    )
  }),
).pipe(Command.withDescription("What programs call the API with"), Command.withSubcommands([add, drop]))
