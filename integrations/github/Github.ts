/**
 * GitHub for tools (P13): whoever wants to do something there first asks for a grant: which repository and number, for which
 * person, with what permission, all looked up at that moment. What is done is done under a grant and by nothing else.
 *
 * The person is the principal of the turn: their own account where they spoke on GitHub, a linked one where they spoke
 * elsewhere. A grant never allows more than the person may do on GitHub themselves.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Identities,
  Rooms,
  Roster,
  type Account,
  type AgentId,
  type DoorId,
  type StoreError,
  type ThreadId,
} from "../../runtime/index.ts"
import { GithubApps } from "./GithubApps.ts"
import type { GithubApp } from "./GithubDoor.ts"
import { sentence, type GithubError } from "./GithubError.ts"
import type { GitError } from "./Git.ts"
import { makeMirrors, type GitRefused, type MirrorOptions, type Mirrors } from "./Mirrors.ts"
import { addressOf } from "./Outward.ts"
import { policyOf, reaches } from "./Policy.ts"
import type { Repository } from "./Repositories.ts"
import type { Level } from "./Settings.ts"

/** Said to the agent as it is. */
export class GithubRefused extends Schema.TaggedError<GithubRefused>()("GithubRefused", {
  message: Schema.String,
}) {}

/** Who asks, from the turn. */
export interface Asker {
  readonly agent: AgentId
  readonly agentName: string
  readonly thread: ThreadId
  readonly principal: string
}

export interface Grant {
  readonly app: GithubApp
  readonly mirrors: Mirrors
  readonly repository: Repository
  /** The issue or pull request that is meant; null outside of one. */
  readonly number: number | null
  readonly user: number
  readonly agentName: string
}

export type Need = "read" | "command"

export class Github extends Context.Service<
  Github,
  {
    /** `repository` and `number` default to those of the room. */
    readonly grant: (
      asker: Asker,
      need: Need,
      target: { readonly repository?: string | undefined; readonly number?: number | undefined },
    ) => Effect.Effect<Grant, GithubRefused | StoreError>
    /**
     * Whether the principal may have commands run at all, where the room or the person is GitHub's. Null: they may;
     * a sentence: why not.
     */
    readonly mayCommand: (asker: Asker) => Effect.Effect<string | null, StoreError>
    /** Begins a link of the principal with the GitHub account of that name: what they have to say on GitHub. */
    readonly beginLink: (asker: Asker, login: string) => Effect.Effect<string, GithubRefused | StoreError>
  }
>()("troupe/github/Github") {
  static readonly layer = (mirrors: MirrorOptions) => Layer.effect(Github, make(mirrors))
}

const make = Effect.fnUntraced(function* (options: MirrorOptions) {
  const apps = yield* GithubApps
  const rooms = yield* Rooms
  const roster = yield* Roster
  const identities = yield* Identities
  const mirrors = new Map<DoorId, Mirrors>()
  const mirrorsOf = (app: GithubApp) => {
    const known =
      mirrors.get(app.door) ??
      makeMirrors(app.api, { ...options, directory: `${options.directory}/${app.door}` })
    mirrors.set(app.door, known)
    return known
  }
  const refuse = (message: string) => Effect.fail(new GithubRefused({ message }))
  const said = <A>(effect: Effect.Effect<A, GithubError>) =>
    Effect.mapError(effect, (e) => new GithubRefused({ message: sentence(e) }))

  /** Apps behind which the agent works. */
  const appsOf = (agent: AgentId) =>
    apps.all().filter((app) =>
      roster
        .now()
        .doors.get(app.door)
        ?.members.some((m) => m.agent.id === agent),
    )

  /** The room's own issue or pull request. */
  const roomOf = Effect.fnUntraced(function* (thread: ThreadId) {
    const room = yield* rooms.get(thread)
    const app = room === undefined ? undefined : apps.get(room.door)
    return room === undefined || app === undefined ? undefined : { app, ...addressOf(room.channel) }
  })

  const target = Effect.fnUntraced(function* (
    asker: Asker,
    repository: string | undefined,
    number: number | undefined,
  ) {
    const room = yield* roomOf(asker.thread)
    if (repository === undefined) {
      if (room === undefined)
        return yield* refuse("This room is not on GitHub: say which repository, as owner/name.")
      const found = yield* said(room.app.api.repositories.find(room.repository))
      if (found === undefined) return yield* refuse("The App is not installed in this repository any more.")
      return { app: room.app, repository: found, number: number ?? room.number }
    }
    for (const app of appsOf(asker.agent)) {
      const found = yield* said(app.api.repositories.named(repository))
      if (found === undefined) continue
      const here = room?.app === app && room.repository === found.id ? room.number : null
      return { app, repository: found, number: number ?? here }
    }
    return yield* refuse(`No App of yours is installed in ${repository}.`)
  })

  /** The principal's own number at this GitHub. */
  const userAt = Effect.fnUntraced(function* (principal: string, app: GithubApp) {
    const accounts = yield* identities.accounts(accountOf(principal))
    const found = accounts.find(({ door }) => apps.get(door)?.api.root === app.api.root)
    return found === undefined ? undefined : Number(found.user)
  })

  const allows = (need: Need, level: Level, app: GithubApp, repository: Repository): boolean => {
    const policy = policyOf(app.settings, repository)
    return need === "command" ? reaches(level, policy.command) : reaches(level, "read")
  }

  const grant: Github["Service"]["grant"] = Effect.fnUntraced(function* (
    asker,
    need,
    { repository, number },
  ) {
    const found = yield* target(asker, repository, number)
    const policy = policyOf(found.app.settings, found.repository)
    if (policy.agents !== null && !policy.agents.includes(asker.agentName))
      return yield* refuse(`By the policy of ${found.repository.fullName} you do not work there.`)
    const user = yield* userAt(asker.principal, found.app)
    if (user === undefined)
      return yield* refuse(
        "The person you work for has no known GitHub account: ask for its name and call github_link, they then prove that it is theirs.",
      )
    const level = yield* said(found.app.permissions.live(found.repository, user))
    if (!allows(need, level, found.app, found.repository))
      return yield* refuse(
        need === "read"
          ? `The person you work for cannot read ${found.repository.fullName}.`
          : `The person you work for has ${level} access to ${found.repository.fullName}; for this ${policy.command} is needed. Tell them, and do nothing in its place.`,
      )
    return {
      app: found.app,
      mirrors: mirrorsOf(found.app),
      repository: found.repository,
      number: found.number,
      user,
      agentName: asker.agentName,
    }
  })

  const mayCommand: Github["Service"]["mayCommand"] = Effect.fnUntraced(function* (asker) {
    const room = yield* roomOf(asker.thread)
    if (room === undefined) return null
    const result = yield* Effect.result(grant(asker, "command", {}))
    if (result._tag === "Success") return null
    return result.failure._tag === "StoreError" ? yield* Effect.fail(result.failure) : result.failure.message
  })

  const beginLink: Github["Service"]["beginLink"] = Effect.fnUntraced(function* (asker, login) {
    const from = accountOf(asker.principal)
    const [app] = appsOf(asker.agent)
    if (app === undefined)
      return yield* refuse("You work behind no GitHub App, so there is nothing to link with.")
    if (apps.get(from.door) !== undefined) return yield* refuse("This person speaks on GitHub already.")
    const [repository] = app.api.repositories.all()
    if (repository === undefined) return yield* refuse("The App is not installed in any repository yet.")
    const user = yield* said(app.permissions.userOf(repository, login))
    if (user === undefined) return yield* refuse(`There is no GitHub account called ${login}.`)
    const code = yield* identities.begin(from, { door: app.door, user: String(user.id) })
    const { slug } = yield* app.identity
    return `@${slug} link ${code}`
  })

  return Github.of({ grant, mayCommand, beginLink })
})

const accountOf = (principal: string): Account => {
  const at = principal.indexOf(":")
  return { door: principal.slice(0, at) as DoorId, user: principal.slice(at + 1) }
}

export type GithubFailure = GithubError | GitError | GitRefused | GithubRefused

/** A failure of GitHub or git as a sentence for the agent. */
export const refusalOf = (error: GithubFailure): string => {
  switch (error._tag) {
    case "GithubError":
      return sentence(error)
    case "GitError":
      return `${error.command} failed${error.code === null ? "" : ` with exit code ${error.code}`}: ${error.message}`
    default:
      return error.message
  }
}
