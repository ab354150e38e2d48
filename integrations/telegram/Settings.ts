/** The `telegram` block of troupe.yaml (everything but `name` and `type`). */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Mode, Secret, Text, WholeNumber } from "../../runtime/index.ts"

const Ids = Schema.Array(Schema.Union([Schema.Literal("*"), WholeNumber])).pipe(
  Schema.withDecodingDefaultKey(Effect.succeed([])),
)

/** Who may talk to the bot, by numeric id. An empty list is nobody; everybody must be written as "*". */
export const Allow = Schema.Struct({ users: Ids, chats: Ids })
export type Allow = typeof Allow.Type

const nobody = { users: [], chats: [] } as const

export const TelegramSettings = Schema.Struct({
  token: Secret,
  mode: Schema.Literals(["polling", "webhook"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("polling" as const)),
  ),
  /** Sent by Telegram with each webhook call; webhook mode does not start without it. */
  secret: Schema.optionalKey(Secret),
  apiRoot: Schema.optionalKey(Text),
  allow: Allow.pipe(Schema.withDecodingDefaultKey(Effect.succeed(nobody))),
  /** Groups that people who are not on the list take the bot into. */
  joins: Schema.Literals(["leave", "ignore"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("leave" as const)),
  ),
  triage: Schema.Literals(["off", "interests", "model"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("off" as const)),
  ),
  /** How words reach an agent at work. */
  steering: Mode.pipe(Schema.withDecodingDefaultKey(Effect.succeed("join" as const))),
  /** People who may steer everybody's work, give permissions and grant money, by numeric id. */
  operators: Schema.Array(WholeNumber).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
})
export type TelegramSettings = typeof TelegramSettings.Type

/** For the registry of integration types. */
export const telegramIntegration = { schema: TelegramSettings, mayBeUnset: ["apiRoot", "secret"] } as const
