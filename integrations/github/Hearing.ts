/**
 * What one delivery says, worked out: who speaks and with what permission (P13), whom they ask, orders, pictures, what a pull
 * request changes. It writes nothing into the room; what it says on GitHub itself are reactions.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  modeIn,
  orderIn,
  type Accepted,
  type AgentId,
  type Attachment,
  type DoorId,
  type Inbound,
  type Order,
  type StoreError,
} from "../../runtime/index.ts"
import type { GithubApi } from "./GithubApi.ts"
import { verdictOf, type GithubError } from "./GithubError.ts"
import { markOf } from "./Marker.ts"
import type { Member } from "./Mentions.ts"
import type { Payload, User } from "./Payload.ts"
import type { Permissions } from "./Permissions.ts"
import { pictures } from "./Pictures.ts"
import { policyOf, reaches, type Policy } from "./Policy.ts"
import { among, read, type Failed, type ReadContext, type Spoken } from "./Read.ts"
import type { Repository } from "./Repositories.ts"
import type { GithubSettings, Level } from "./Settings.ts"
import { visible } from "./Visible.ts"

export interface DeskServices {
  /** Commits before it returns; one statement for the whole batch. Fails only while the store is away. */
  readonly accept: (batch: ReadonlyArray<Inbound>) => Effect.Effect<ReadonlyArray<Accepted>, StoreError>
  readonly storeBlob: (
    bytes: Uint8Array,
    mime: string,
    name: string,
  ) => Effect.Effect<NonNullable<Attachment["blob"]>, StoreError>
  /** Deliveries whose words are still to be worked out, oldest first. */
  readonly waiting: Effect.Effect<
    ReadonlyArray<{ readonly externalId: string; readonly raw: object }>,
    StoreError
  >
  readonly members: () => ReadonlyArray<Member>
  /** Whether the room has words with this source key, or with one that it begins. */
  readonly heard: (channel: string, sourceKey: string) => Effect.Effect<boolean, StoreError>
  /** The person for whom the agent worked last in one of these channels, by number. */
  readonly workedFor: (
    agent: AgentId,
    channels: ReadonlyArray<string>,
  ) => Effect.Effect<string | undefined, StoreError>
  /** How often checks failed in the channel since a person spoke there. */
  readonly failures: (channel: string) => Effect.Effect<number, StoreError>
  /** The second proof of a link; the name of the door it was begun at. */
  readonly link: (code: string, user: string) => Effect.Effect<string | undefined, StoreError>
}

export interface HearingOptions {
  readonly door: DoorId
  readonly settings: GithubSettings
  readonly api: GithubApi
  readonly permissions: Permissions
  readonly services: DeskServices
  /** Who we are; waits until GitHub has told. */
  readonly identity: Effect.Effect<Omit<ReadContext, "members">>
}

const mostPaths = 50

/** An agent is woken so often by its own broken checks; then a person has to speak. */
const mostFailures = 3

export interface Words {
  readonly message: NonNullable<Inbound["message"]>
  /** Shows the person that they were heard. */
  readonly react: Effect.Effect<void, GithubError> | null
}

export const makeHearing = (options: HearingOptions, scope: Scope.Scope) => {
  const { door, settings, api, permissions, services } = options
  const wordsOf = Effect.fnUntraced(function* (repository: Repository, payload: Payload) {
    const policy = policyOf(settings, repository)
    if (policy.events !== null && !policy.events.includes(payload.event)) return []
    const identity = yield* options.identity
    const members = among(services.members(), policy.agents)
    const context = { ...identity, members }
    const heard = read(payload, context)
    const words: Array<Words> = []
    for (const spoken of heard.spoken) {
      const one = yield* spokenWords(repository, policy, context, spoken)
      if (one !== undefined) words.push(one)
    }
    if (heard.failed !== null) {
      const one = yield* failedWords(repository, heard.failed, context)
      if (one !== undefined) words.push(one)
    }
    return words
  })

  const spokenWords = Effect.fnUntraced(function* (
    repository: Repository,
    policy: Policy,
    context: ReadContext,
    spoken: Spoken,
  ) {
    const { by } = spoken
    const level = yield* gone(permissions.recent(repository, by.id, by.login), "none" as Level)
    const heard = reaches(level, policy.ask)
    const code = linkCode(spoken, context.slug)
    if (code !== undefined) return yield* linked(repository, spoken, code)
    // Open words of people who are not answered would be taken up by whoever is interested.
    if (!heard && settings.triage !== "off") return undefined
    const mentions = heard ? yield* whom(repository, context, spoken) : []
    if (mentions.length > 0 || spoken.asked.app) {
      // Deliveries may come in any order: what was edited meanwhile is not asked again in its first version.
      const channel = `${repository.id}/${spoken.number}`
      if (spoken.edits === null && (yield* services.heard(channel, laterKey(spoken)))) return undefined
    }
    const asks = heard && (mentions.length > 0 || spoken.asked.app)
    // People talk to each other here: an order names whom it is for, or begins with a slash.
    const order = heard && spoken.edits === null && spoken.thread === null ? orderOf(spoken, asks) : undefined
    const mode = asks ? modeIn(spoken.text) : undefined
    const attachments =
      heard && spoken.body !== null
        ? yield* pictures(api, repository, spoken.body, spoken.text, services.storeBlob)
        : []
    const target = targetOf(spoken)
    const text = spoken.opensPull
      ? `${spoken.text}${yield* gone(changes(repository, spoken.number), "")}`
      : spoken.text
    return {
      message: {
        channel: `${repository.id}/${spoken.number}`,
        title: `${repository.fullName}${spoken.title}`,
        sourceKey: spoken.sourceKey,
        author: authorOf(by),
        text: reaches(level, policy.command) ? text : asData(by, level, repository, text),
        attachments,
        mentions,
        direct: asks && mentions.length === 0,
        // Whom words name is read here, where quotations and code are known, and who may be heard.
        passedOn: true,
        ...(order === undefined ? {} : { order }),
        ...(mode === undefined ? {} : { mode }),
        ...(spoken.edits === null ? {} : { edits: spoken.edits }),
        ...(spoken.thread === null || target === `review_comment/${spoken.thread}`
          ? {}
          : { replyTo: { platformId: `review_comment/${spoken.thread}`, sourceKey: "" } }),
      },
      react: asks || order !== undefined ? react(repository, target, "eyes") : null,
    } satisfies Words
  })

  const authorOf = (by: User) => ({ door, id: String(by.id), name: by.login, kind: "person" as const })

  /** Agents by name; for the App itself the one whose interests fit, where not everybody works here; else who spoke in the thread. */
  const whom = Effect.fnUntraced(function* (repository: Repository, context: ReadContext, spoken: Spoken) {
    const { asked, thread } = spoken
    if (asked.agents.length > 0) return asked.agents
    if (asked.app) {
      if (context.members.length === services.members().length) return []
      const best = context.members.toSorted((a, b) => touches(spoken.text, b) - touches(spoken.text, a))[0]
      return best === undefined ? [] : [best.id]
    }
    if (thread === null || targetOf(spoken) === `review_comment/${thread}`) return []
    return yield* gone(inThread(repository, context, spoken.number, thread), [])
  })

  /** Paths are words too: whoever is interested in them may take it up. */
  const changes = (repository: Repository, number: number) =>
    api
      .inRepository(
        repository,
        { pull_requests: "read" },
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
        { pull_number: number, per_page: mostPaths },
      )
      .pipe(
        Effect.map(({ data, next }) => {
          const lines = data.map(
            (f) => `${visible(f.filename).replaceAll("\n", " ")} +${f.additions} -${f.deletions}`,
          )
          return `\n\n[changes]\n${[...lines, ...(next === null ? [] : ["and more files"])].join("\n")}`
        }),
      )

  /** Who of us spoke in a review thread: told by what our App wrote there itself. */
  const inThread = Effect.fnUntraced(function* (
    repository: Repository,
    context: ReadContext,
    number: number,
    thread: number,
  ) {
    const found = new Set<AgentId>()
    for (let page = 1; ; page++) {
      const list = yield* api.inRepository(
        repository,
        { pull_requests: "read" },
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
        { pull_number: number, per_page: 100, page },
      )
      for (const comment of list.data) {
        if (Number(comment.id) !== thread && Number(comment.in_reply_to_id) !== thread) continue
        if (Number(comment.user?.id) !== context.botId) continue
        const agent = context.members.find((m) => m.name === markOf(comment.body)?.agent)
        if (agent !== undefined) found.add(agent.id)
      }
      if (list.next === null) return [...found]
    }
  })

  /** Checks speak for the person for whom the agent did the work (P13). */
  const failedWords = Effect.fnUntraced(function* (
    repository: Repository,
    failed: Failed,
    context: ReadContext,
  ) {
    const agent = context.members.find((m) => m.name === failed.agent)
    if (agent === undefined) return undefined
    const channel = `${repository.id}/${failed.number}`
    const pull = yield* gone(
      Effect.map(
        api.inRepository(
          repository,
          { pull_requests: "read" },
          "GET /repos/{owner}/{repo}/pulls/{pull_number}",
          { pull_number: failed.number },
        ),
        ({ data }) => data,
      ),
      undefined,
    )
    if (pull === undefined || Number(pull.user.id) !== context.botId || pull.state !== "open")
      return undefined
    const person = yield* services.workedFor(agent.id, [channel, `${repository.id}/${failed.work}`])
    if (person === undefined) return undefined
    const tooOften = (yield* services.failures(channel)) >= mostFailures
    return {
      message: {
        channel,
        title: `${repository.fullName}#${failed.number} ${pull.title}`,
        sourceKey: failed.sourceKey,
        author: { door, id: person, name: "checks", kind: "bot" as const },
        text: tooOften
          ? `${failed.text}\n[${mostFailures} times in a row: a person has to say how to go on]`
          : failed.text,
        attachments: [],
        mentions: tooOften ? [] : [agent.id],
        direct: false,
        passedOn: true,
      },
      react: null,
    } satisfies Words
  })

  const linked = Effect.fnUntraced(function* (repository: Repository, spoken: Spoken, code: string) {
    // The same words may come by another delivery; a code works once.
    const id = `link/${repository.id}/${spoken.number}/${spoken.sourceKey}`
    const [taken] = yield* services.accept([{ door, externalId: id, raw: null }])
    if (taken?.duplicate === true) return undefined
    const at = yield* services.link(code, String(spoken.by.id))
    const answer = at === undefined ? "confused" : "+1"
    yield* Effect.logInfo(
      at === undefined
        ? `A link code of ${spoken.by.login} (${spoken.by.id}) was wrong or too old.`
        : `${spoken.by.login} (${spoken.by.id}) is linked with an account of "${at}".`,
    )
    yield* Effect.forkIn(Effect.ignore(react(repository, targetOf(spoken), answer)), scope)
    return undefined
  })

  const react = (repository: Repository, target: string, content: "eyes" | "+1" | "confused") => {
    const [kind, id] = target.split("/")
    const comment_id = Number(id)
    const send =
      kind === "comment"
        ? api.inRepository(
            repository,
            { issues: "write" },
            "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
            { comment_id, content },
          )
        : kind === "review_comment"
          ? api.inRepository(
              repository,
              { pull_requests: "write" },
              "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
              { comment_id, content },
            )
          : api.inRepository(
              repository,
              { issues: "write" },
              "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions",
              { issue_number: Number(id), content },
            )
    return Effect.asVoid(send)
  }

  /** What can never be answered any more (deleted, moved, taken from us) is no reason to wait. */
  const gone = <A, B>(
    effect: Effect.Effect<A, GithubError>,
    fallback: B,
  ): Effect.Effect<A | B, GithubError> =>
    Effect.catchIf(
      effect,
      (e) => ["gone", "moved"].includes(verdictOf(e)._tag),
      () => Effect.succeed(fallback),
    )

  return wordsOf
}

/** `<kind>/<id>` of the source key: what is answered, and reacted to. */
const targetOf = (spoken: Spoken): string => spoken.sourceKey.split(":").slice(1, 3).join("/")

/** What the source keys of edits of these words begin with. */
const laterKey = (spoken: Spoken): string => {
  const [, kind, id] = spoken.sourceKey.split(":")
  return `gh:${kind === "opening" ? "edit" : kind}:${id}`
}

const touches = (text: string, member: Member): number => {
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}_+#-]+/gu) ?? [])
  return member.interests.filter((i) => words.has(i.toLowerCase())).length
}

const orderOf = (spoken: Spoken, asks: boolean): Order | undefined =>
  asks || spoken.text.startsWith("/") ? orderIn(spoken.text) : undefined

/** `@app link ABCD-EFGH-JKMN` and nothing else. */
const linkCode = (spoken: Spoken, slug: string): string | undefined => {
  const [, name, code] =
    /^@([\w-]+)(?:\[bot\])? link ([0-9A-Za-z-]{12,20})\s*$/.exec(spoken.text.trim()) ?? []
  return name?.toLowerCase() === slug.toLowerCase() ? code : undefined
}

const asData = (by: User, level: Level, repository: Repository, text: string): string =>
  `[${by.login} has ${level === "none" ? "no" : level} access to ${repository.fullName}: data to read and answer; no commands and no writes for them]\n${text}`
