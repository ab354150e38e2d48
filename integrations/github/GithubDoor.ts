/**
 * One GitHub App as a door: takes what people say and do in the repositories where it is installed, and offers the port that
 * answers them. Scoped: it stops with its scope, and what was taken until then is committed.
 *
 * It never fails after it has started: what is wrong is reported as a state and tried again. What cannot work at all (a
 * private key that is none) is refused at once.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Hooks, type DoorId, type Outward, type StoreError } from "../../runtime/index.ts"
import { privateKeyOf } from "./AppAuth.ts"
import { makeDesk, type DeskServices } from "./Desk.ts"
import { pauseOf, stateOf, type DoorState } from "./DoorState.ts"
import { makeGithubApi, type GithubApi } from "./GithubApi.ts"
import type { GithubError } from "./GithubError.ts"
import { makeMissed, type MissedServices } from "./Missed.ts"
import { makeOutward, type OutwardServices } from "./Outward.ts"
import { makePermissions, type Permissions } from "./Permissions.ts"
import type { ReadContext } from "./Read.ts"
import type { GithubSettings } from "./Settings.ts"
import { maxWebhookBytes, webhook } from "./Webhook.ts"

export interface GithubDoorServices extends DeskServices, MissedServices, OutwardServices {
  /** Told of each change of state. */
  readonly report: (state: DoorState) => Effect.Effect<void>
}

export interface GithubDoorOptions {
  readonly door: DoorId
  /** The integration's name in troupe.yaml; the webhook is `/hooks/<name>`. */
  readonly name: string
  readonly settings: GithubSettings
  readonly services: GithubDoorServices
}

export class GithubMisconfigured extends Schema.TaggedError<GithubMisconfigured>()("GithubMisconfigured", {
  message: Schema.String,
}) {}

/** The App as it is used: by its door, and by tools. */
export interface GithubApp {
  readonly door: DoorId
  readonly name: string
  readonly settings: GithubSettings
  readonly api: GithubApi
  readonly permissions: Permissions
  /** Waits until GitHub has told who we are. */
  readonly identity: Effect.Effect<Omit<ReadContext, "members">>
}

/** Connects to GitHub: needs no lease, every process may. */
export const githubApp = Effect.fnUntraced(function* (options: {
  readonly door: DoorId
  readonly name: string
  readonly settings: GithubSettings
  readonly report: (state: DoorState) => Effect.Effect<void>
}): Effect.fn.Return<GithubApp, GithubMisconfigured, Scope.Scope> {
  const { door, name, settings } = options
  const key = privateKeyOf(settings.privateKey)
  if (Result.isFailure(key)) return yield* new GithubMisconfigured({ message: `"${name}": ${key.failure}` })
  if (!/^\d+$/.test(settings.appId))
    return yield* new GithubMisconfigured({
      message: `"${name}": appId is a number, shown on the App's settings page.`,
    })
  const api = yield* makeGithubApi({ appId: settings.appId, key: key.success, apiUrl: settings.apiUrl })
  const known = yield* Deferred.make<Omit<ReadContext, "members">>()

  const ask: Effect.Effect<Omit<ReadContext, "members">, GithubError> = Effect.gen(function* () {
    const { data: app } = yield* api.asApp("GET /app", {})
    const slug = app?.slug ?? ""
    const bot = yield* botOf(api, slug)
    if (bot !== undefined)
      return { appId: Number(settings.appId), botId: bot, slug, workLabel: settings.workLabel }
    const note = `The App is in no repository yet: install it at ${app?.html_url ?? "its page"}.`
    yield* options.report({ _tag: "connected", account: `@${slug}`, note })
    yield* Effect.sleep("15 seconds")
    return yield* ask
  })
  const insist = (failures: number): Effect.Effect<void> =>
    Effect.matchEffect(ask, {
      onSuccess: (identity) => Effect.asVoid(Deferred.succeed(known, identity)),
      onFailure: (error) =>
        options
          .report(stateOf(name, api.root, error))
          .pipe(Effect.andThen(Effect.sleep(pauseOf(error, failures))), Effect.andThen(insist(failures + 1))),
    })
  yield* Effect.forkScoped(insist(1))
  return { door, name, settings, api, permissions: makePermissions(api), identity: Deferred.await(known) }
})

/** The App's own account. Asking for it needs a token of an installation; before the first there is nobody to hear. */
const botOf = Effect.fnUntraced(function* (api: GithubApi, slug: string) {
  const { data: installations } = yield* api.asApp("GET /app/installations", { per_page: 1 })
  const [first] = installations
  if (first === undefined) return undefined
  const { data } = yield* api.inInstallation(Number(first.id), {}, "GET /users/{username}", {
    username: `${slug}[bot]`,
  })
  return Number(data.id)
})

const lookEvery = "5 minutes"

export const githubDoor = Effect.fnUntraced(function* (
  app: GithubApp,
  services: GithubDoorServices,
): Effect.fn.Return<Outward, never, Scope.Scope | Hooks> {
  const { door, name, settings, api } = app
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
  const trouble = (error: GithubError | StoreError) => report(stateOf(name, api.root, error))
  const healthy = Effect.flatMap(app.identity, ({ slug }) =>
    report({ _tag: "connected", account: `@${slug}`, note: null }),
  )

  const desk = yield* makeDesk({
    door,
    settings,
    api,
    permissions: app.permissions,
    services,
    identity: app.identity,
    trouble,
  })
  const hooks = yield* Hooks
  yield* hooks.register(
    name,
    maxWebhookBytes,
    webhook({ secret: settings.webhookSecret, desk, unhealthy: trouble }),
  )
  const missed = makeMissed(api, desk, services)
  const insist = <E extends GithubError | StoreError>(
    effect: Effect.Effect<void, E>,
    failures = 1,
  ): Effect.Effect<void> =>
    Effect.catch(effect, (error) =>
      Effect.andThen(
        Effect.andThen(trouble(error), Effect.sleep(pauseOf(error, failures))),
        insist(effect, failures + 1),
      ),
    )
  yield* report({ _tag: "connecting" })
  yield* insist(desk.resume).pipe(
    Effect.andThen(app.identity),
    Effect.andThen(healthy),
    Effect.andThen(
      insist(missed.look).pipe(
        Effect.andThen(healthy),
        Effect.andThen(Effect.sleep(lookEvery)),
        Effect.forever,
      ),
    ),
    Effect.forkScoped,
  )
  return makeOutward(door, api, services)
})
