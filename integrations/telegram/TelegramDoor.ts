/**
 * One Telegram bot as a door: takes what people say, and offers the port that answers them. Scoped: it stops with its
 * scope, and what was taken until then is committed.
 *
 * It never fails after it has started: what is wrong is reported as a state and tried again. `outward` works from the
 * first moment. What cannot work at all (webhook mode without a secret or a public address) is refused at once.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import {
  Hooks,
  keepAliveFetch,
  Pace,
  type DoorId,
  type Outward,
  type StoreError,
} from "../../runtime/index.ts"
import { pauseOf, stateOf } from "./DoorState.ts"
import type { DoorState } from "./DoorState.ts"
import { menus } from "./Commands.ts"
import { makeIntake } from "./Intake.ts"
import type { IntakeServices } from "./Intake.ts"
import type { BotName, Member } from "./Mentions.ts"
import { normalizeSafely } from "./Normalize.ts"
import { silent, unheard, type NormalizeContext, type Normalized } from "./Normalized.ts"
import { makeOutward } from "./Outward.ts"
import { poll, updateKinds } from "./Poll.ts"
import type { ReadBlob } from "./SendFile.ts"
import type { Allow, TelegramSettings } from "./Settings.ts"
import { makeTelegramApi } from "./TelegramApi.ts"
import type { TelegramError } from "./TelegramError.ts"
import { lookAtPoll, lookAtWebhook, type Finding } from "./Watch.ts"
import { maxWebhookBytes, webhook } from "./Webhook.ts"

export interface TelegramDoorServices extends IntakeServices {
  /** The agents behind this bot, the first answers where nobody is named. */
  readonly members: () => ReadonlyArray<Member & { readonly title?: string }>
  /** Numbers of people who were let in besides those of the settings. */
  readonly admitted: () => ReadonlySet<string>
  readonly readBlob: ReadBlob
  /** Told of each change of state. */
  readonly report: (state: DoorState) => Effect.Effect<void>
}

export interface TelegramDoorOptions {
  readonly door: DoorId
  /** The integration's name in troupe.yaml; the webhook is `/hooks/<name>`. */
  readonly name: string
  readonly settings: TelegramSettings
  readonly publicUrl: string | null
  readonly services: TelegramDoorServices
  /** How long Telegram holds an empty answer in polling mode; 50 by default. */
  readonly pollSeconds?: number
  /** How often it is looked whether anything can arrive. */
  readonly lookEvery?: Duration.Input
}

export class TelegramMisconfigured extends Schema.TaggedError<TelegramMisconfigured>()(
  "TelegramMisconfigured",
  {
    message: Schema.String,
  },
) {}

const maxStrangers = 1_000

/** Two bots that answer each other would never end. */
const botBurst = 5
const botEveryMs = 60_000
const tooOften = (context: NormalizeContext, { updateId, chat }: Normalized, bot: string) =>
  silent(
    context,
    updateId,
    chat,
    unheard(updateId, "message", chat, Number(bot), "a bot that speaks too often"),
  )

export const telegramDoor = Effect.fnUntraced(function* (
  options: TelegramDoorOptions,
): Effect.fn.Return<Outward, TelegramMisconfigured, Scope.Scope | Hooks> {
  const { door, name, settings, services, pollSeconds = 50, lookEvery = "1 minute" } = options
  const api = yield* makeTelegramApi(settings.token, settings.apiRoot, pollSeconds)
  const intake = yield* makeIntake(api, {
    door,
    services,
    joins: settings.joins,
    readmit: (update) => normalizer()?.(update),
  })
  let bot: BotName | undefined
  let note: string | null = null
  let shown = ""

  const report = (state: DoorState) =>
    Effect.suspend(() => {
      const text = JSON.stringify(state)
      if (text === shown) return Effect.void
      shown = text
      const log =
        state._tag === "failing" || state._tag === "refused" ? Effect.logWarning(state.message) : Effect.void
      return Effect.andThen(log, services.report(state))
    })
  const healthy = Effect.suspend(() =>
    bot === undefined ? Effect.void : report({ _tag: "connected", account: `@${bot.username}`, note }),
  )
  const failing = (error: TelegramError | StoreError) => report(stateOf(name, api.root, error))
  const unhealthy = (error: TelegramError | StoreError, failures: number) =>
    Effect.andThen(failing(error), Effect.sleep(pauseOf(error, failures)))

  /** Repeats until it works, with a sentence in the state meanwhile. */
  const insist = <A>(effect: Effect.Effect<A, TelegramError | StoreError>, failures = 1): Effect.Effect<A> =>
    Effect.catch(effect, (error) => Effect.andThen(unhealthy(error, failures), insist(effect, failures + 1)))

  const identify = Effect.gen(function* () {
    const me = yield* insist(api.getMe)
    if (me.supports_guest_queries === true) {
      const message = `Guest mode lets strangers call @${me.username} anywhere: switch it off in @BotFather and restart.`
      yield* report({ _tag: "refused", message })
      return yield* Effect.never
    }
    if (me.can_read_all_group_messages !== true)
      note =
        "In groups it hears only commands, replies and its own name: switch group privacy off in @BotFather, then add it again."
    const known = { id: me.id, username: me.username ?? "" }
    yield* insist(intake.resume((update) => normalize(update, known)))
    bot = known
  })

  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const flaw = (cause: unknown) => void runFork(Effect.logError("An update could not be read.", cause))
  /** So that the owner can copy the number into the allow-list; once per person. */
  const strangers = new Set<number>()
  const tellOf = (user: number, chat: number) => {
    if (strangers.has(user) || strangers.size >= maxStrangers) return
    strangers.add(user)
    runFork(
      Effect.logInfo(
        `User ${user} wrote to "${name}" in chat ${chat} and is not on its allow-list (allow.users).`,
      ),
    )
  }
  /** Whom troupe.yaml lists, and whom an owner let in since. */
  const allow = (): Allow => {
    const admitted = services.admitted()
    return admitted.size === 0
      ? settings.allow
      : { ...settings.allow, users: [...settings.allow.users, ...[...admitted].map(Number)] }
  }
  const clock = yield* Effect.clockWith(Effect.succeed)
  const bots = new Pace(botBurst, botEveryMs)
  const normalize = (update: unknown, known: BotName) => {
    const context = { door, bot: known, members: services.members(), allow: allow() }
    const normalized = normalizeSafely(update, context, flaw)
    if (normalized?.stranger != null) tellOf(normalized.stranger.id, normalized.chat)
    const author = normalized?.inbound.message?.author
    return author?.kind === "bot" && bots.take(author.id, clock.currentTimeMillisUnsafe()) > 0
      ? tooOften(context, normalized!, author.id)
      : normalized
  }
  const normalizer = () => {
    const known = bot
    return known === undefined ? undefined : (update: unknown) => normalize(update, known)
  }

  const showMenus = Effect.suspend(() =>
    Effect.forEach(
      menus(services.members()),
      (menu) =>
        api.call("setMyCommands", {
          ...menu,
          commands: [...menu.commands],
        } as Parameters<typeof api.call<"setMyCommands">>[1]),
      { discard: true },
    ),
  ).pipe(Effect.catch((error) => Effect.logWarning(`The menu of commands was not set: ${error.message}`)))

  /** A Bot API server that knows no webhooks has none. */
  const withoutWebhook = Effect.catchIf(
    api.call("deleteWebhook", {}),
    (error) => error.code === 404,
    () => Effect.succeed(true as const),
  )

  let answeredAt = clock.currentTimeMillisUnsafe()
  /** What was noticed stays until the next look. */
  const found = (finding: Finding) => {
    if (finding !== null && "failing" in finding) return report({ _tag: "failing", message: finding.failing })
    if (bot === undefined || (finding === null && settings.mode === "polling")) return Effect.void
    const notes = [note, finding?.note ?? null].filter((one) => one !== null)
    return report({
      _tag: "connected",
      account: `@${bot.username}`,
      note: notes.length === 0 ? null : notes.join(" "),
    })
  }

  yield* report({ _tag: "connecting" })
  if (settings.mode === "webhook") {
    const { secret } = settings
    if (secret === undefined)
      return yield* new TelegramMisconfigured({
        message: `"${name}" is in webhook mode and has no secret: add "secret" to its block in troupe.yaml.`,
      })
    if (!/^[A-Za-z0-9_-]{1,256}$/.test(Redacted.value(secret)))
      return yield* new TelegramMisconfigured({
        message: `The secret of "${name}" may hold only A-Z, a-z, 0-9, _ and -, at most 256 of them: choose another one.`,
      })
    if (options.publicUrl === null)
      return yield* new TelegramMisconfigured({
        message: `"${name}" is in webhook mode and Troupe has no public address: set PUBLIC_URL, or use mode: polling.`,
      })
    const url = `${options.publicUrl.replace(/\/+$/, "")}/hooks/${name}`
    const hooks = yield* Hooks
    const handler = webhook({ secret, intake, normalize: normalizer, healthy, unhealthy: failing })
    yield* hooks.register(name, maxWebhookBytes, handler)
    const set = api.call("setWebhook", {
      url,
      secret_token: Redacted.value(secret),
      allowed_updates: updateKinds,
    })
    const fetch = yield* keepAliveFetch({ firstByteMs: 10_000, idleMs: 10_000 })
    const look = lookAtWebhook({ api, url, secret: Redacted.value(secret), fetch, set })
    yield* identify.pipe(
      Effect.andThen(insist(set)),
      Effect.andThen(healthy),
      Effect.andThen(showMenus),
      Effect.andThen(
        Effect.forever(
          Effect.delay(
            Effect.flatMap(
              Effect.catch(look, () => Effect.succeed(null)),
              found,
            ),
            lookEvery,
          ),
        ),
      ),
      Effect.forkScoped,
    )
  } else {
    yield* identify.pipe(
      Effect.andThen(insist(withoutWebhook)),
      Effect.andThen(healthy),
      Effect.tap(Effect.forkScoped(showMenus)),
      Effect.tap(
        Effect.sync(() => lookAtPoll(clock.currentTimeMillisUnsafe() - answeredAt, pollSeconds)).pipe(
          Effect.flatMap(found),
          Effect.delay(lookEvery),
          Effect.forever,
          Effect.forkScoped,
        ),
      ),
      Effect.andThen(
        poll({
          api,
          intake,
          normalize: (update) => normalizer()?.(update),
          seconds: pollSeconds,
          healthy: Effect.suspend(() => {
            answeredAt = clock.currentTimeMillisUnsafe()
            return healthy
          }),
          unhealthy,
        }),
      ),
      Effect.forkScoped,
    )
  }
  return makeOutward(door, api, {
    readBlob: services.readBlob,
    migrated: (from, to) =>
      Effect.catch(services.migrated(from, to), (error) =>
        Effect.logWarning(`The move of chat ${from} to ${to} was not recorded: ${error.message}`),
      ),
  })
})
