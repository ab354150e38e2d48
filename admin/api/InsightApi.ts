/** Looking into the machine: money, the bus, actors, sandboxes, what waits for a person, search, secrets, integrations. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Fresh, Needs, Private } from "./Needs.ts"
import { refusals } from "./Refusal.ts"

const spending = Schema.Struct({
  key: Schema.String,
  name: Schema.String,
  dollars: Schema.Finite,
  turns: Schema.Int,
})

export const Money = Schema.Struct({
  today: Schema.Finite,
  month: Schema.Finite,
  /** This month, if it goes on as in the last seven days. */
  forecast: Schema.Finite,
  days: Schema.Array(Schema.Struct({ day: Schema.String, dollars: Schema.Finite, turns: Schema.Int })),
  agents: Schema.Array(spending),
  models: Schema.Array(spending),
  rooms: Schema.Array(spending),
  doors: Schema.Array(spending),
  budgets: Schema.Array(
    Schema.Struct({
      scope: Schema.String,
      name: Schema.String,
      period: Schema.String,
      limit: Schema.Finite,
      spent: Schema.Finite,
      reserved: Schema.Finite,
    }),
  ),
  /** Dollars for one finished answer: in the middle, and of the dearest twentieth. */
  reply: Schema.Struct({ median: Schema.NullOr(Schema.Finite), p95: Schema.NullOr(Schema.Finite) }),
})
export type Money = typeof Money.Type

export const BusView = Schema.Struct({
  connected: Schema.Boolean,
  server: Schema.String,
  workspace: Schema.String,
  stream: Schema.String,
  messages: Schema.Int,
  bytes: Schema.Int,
  firstSeq: Schema.Int,
  lastSeq: Schema.Int,
  durables: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      /** `@ada in team-chat`. */
      who: Schema.String,
      filter: Schema.String,
      behind: Schema.Int,
      unsettled: Schema.Int,
      redelivered: Schema.Int,
    }),
  ),
  subjects: Schema.Array(
    Schema.Struct({ subject: Schema.String, count: Schema.Int, room: Schema.NullOr(Schema.String) }),
  ),
  /** Events committed and not on the bus yet; words that nobody decided yet. */
  unpublished: Schema.Int,
  due: Schema.Int,
})
export type BusView = typeof BusView.Type

export const ActorView = Schema.Struct({
  path: Schema.String,
  state: Schema.String,
  turn: Schema.Boolean,
  mailbox: Schema.Int,
  capacity: Schema.Int,
  crashes: Schema.Int,
  restarts: Schema.Int,
  lastCrash: Schema.NullOr(Schema.Struct({ at: Schema.String, cause: Schema.String })),
})
export type ActorView = typeof ActorView.Type

export const SandboxView = Schema.Struct({
  machine: Schema.String,
  agent: Schema.NullOr(Schema.String),
  sessions: Schema.Array(
    Schema.Struct({
      room: Schema.String,
      title: Schema.String,
      session: Schema.String,
      cwd: Schema.String,
      state: Schema.String,
      usedAt: Schema.String,
    }),
  ),
})
export type SandboxView = typeof SandboxView.Type

export const Waiting = Schema.Struct({
  turn: Schema.String,
  agent: Schema.String,
  name: Schema.String,
  room: Schema.String,
  title: Schema.String,
  doorName: Schema.String,
  /** `approval`, `money` or `wait`. */
  reason: Schema.String,
  since: Schema.String,
  /** What is asked, exactly. */
  asks: Schema.Array(Schema.String),
})
export type Waiting = typeof Waiting.Type

export const Found = Schema.Struct({
  room: Schema.String,
  title: Schema.String,
  pos: Schema.Int,
  at: Schema.String,
  author: Schema.String,
  /** The words around what was found. */
  text: Schema.String,
})
export type Found = typeof Found.Type

export const SecretView = Schema.Struct({
  owner: Schema.String,
  /** `team-chat`. */
  ownerName: Schema.String,
  name: Schema.String,
  lastFour: Schema.String,
  changedAt: Schema.String,
})
export type SecretView = typeof SecretView.Type

export const IntegrationView = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  state: Schema.Literals(["connected", "connecting", "failed"]),
  detail: Schema.NullOr(Schema.String),
  agents: Schema.Array(Schema.String),
  rooms: Schema.Int,
  lastIn: Schema.NullOr(Schema.String),
  lastOut: Schema.NullOr(Schema.String),
  /** Deliveries of the last day, and words that are not said yet. */
  day: Schema.Int,
  unsaid: Schema.Int,
  settings: Schema.Record(Schema.String, Schema.Unknown),
})
export type IntegrationView = typeof IntegrationView.Type

const cause = Schema.Struct({
  id: Schema.String,
  kind: Schema.Literals(["message", "turn", "tool"]),
  /** What it follows from. */
  parent: Schema.NullOr(Schema.String),
  who: Schema.String,
  text: Schema.String,
  state: Schema.NullOr(Schema.String),
  at: Schema.String,
  ms: Schema.NullOr(Schema.Finite),
  dollars: Schema.NullOr(Schema.Finite),
})
export const Cause = cause
export type Cause = typeof cause.Type

const entry = Schema.Struct({
  name: Schema.String,
  type: Schema.Literals(["file", "directory", "symlink"]),
  size: Schema.Int,
})

export class InsightApi extends HttpApiGroup.make("insight")
  .add(
    HttpApiEndpoint.get("money", "/api/money", { success: Money, error: refusals }).annotate(
      OpenApi.Summary,
      "What was spent, on whom, and what is left",
    ),
    HttpApiEndpoint.get("bus", "/api/bus", { success: BusView, error: refusals }).annotate(
      OpenApi.Summary,
      "The stream, its consumers and its subjects",
    ),
    HttpApiEndpoint.get("newest", "/api/bus/newest", {
      query: { subject: Schema.String },
      success: Schema.Struct({ seq: Schema.Int, at: Schema.String, payload: Schema.String }),
      error: refusals,
    }).annotate(OpenApi.Summary, "The newest message under a subject"),
    HttpApiEndpoint.get("actors", "/api/actors", {
      success: Schema.Struct({
        actors: Schema.Array(ActorView),
        handled: Schema.Int,
        crashes: Schema.Int,
        restarts: Schema.Int,
        deadLetters: Schema.Int,
      }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Every live actor"),
    HttpApiEndpoint.get("sandboxes", "/api/sandboxes", {
      success: Schema.Struct({ sandboxes: Schema.Array(SandboxView) }),
      error: refusals,
    }).annotate(
      OpenApi.Summary,
      "The agents' computers and their shells; those without an agent are orphans",
    ),
    HttpApiEndpoint.get("files", "/api/sandboxes/:machine/files", {
      params: { machine: Schema.String },
      query: { path: Schema.String },
      success: Schema.Struct({ entries: Schema.Array(entry) }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "What is in a directory of a computer"),
    HttpApiEndpoint.get("file", "/api/sandboxes/:machine/file", {
      params: { machine: Schema.String },
      query: { path: Schema.String },
      success: Schema.Struct({ text: Schema.String, cut: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "A file of a computer as text, at most 256 kB of it"),
    HttpApiEndpoint.get("checkpoints", "/api/sandboxes/:machine/checkpoints", {
      params: { machine: Schema.String },
      success: Schema.Struct({
        checkpoints: Schema.Array(
          Schema.Struct({ id: Schema.String, at: Schema.String, comment: Schema.String }),
        ),
        network: Schema.Array(
          Schema.Struct({ domain: Schema.String, action: Schema.Literals(["allow", "deny"]) }),
        ),
      }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Kept states of a computer, newest first, and what it may reach"),
    HttpApiEndpoint.post("checkpoint", "/api/sandboxes/:machine/checkpoints", {
      params: { machine: Schema.String },
      payload: Schema.Struct({ comment: Schema.String.check(Schema.isBetweenLength(0, 200)) }),
      success: Schema.Struct({ id: Schema.String }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Keep all files as they are now"),
    HttpApiEndpoint.post("restore", "/api/sandboxes/:machine/checkpoints/:id/restore", {
      params: { machine: Schema.String, id: Schema.String },
      success: Schema.Struct({ restored: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Fresh, true)
      .annotate(OpenApi.Summary, "Put all files back and end every shell"),
    HttpApiEndpoint.get("waiting", "/api/waiting", {
      success: Schema.Struct({ waiting: Schema.Array(Waiting) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "What needs a person now"),
    HttpApiEndpoint.get("search", "/api/search", {
      query: { q: Schema.String.check(Schema.isBetweenLength(2, 200)) },
      success: Schema.Struct({ found: Schema.Array(Found) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Words in all rooms, the newest first"),
    HttpApiEndpoint.get("cause", "/api/cause/:message", {
      params: { message: Schema.String },
      success: Schema.Struct({ causes: Schema.Array(cause) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "All that follows from one message: turns, tools, words, money, as a tree"),
    HttpApiEndpoint.get("secrets", "/api/secrets", {
      success: Schema.Struct({ secrets: Schema.Array(SecretView) }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "Which secrets there are; never what they are"),
    HttpApiEndpoint.put("setSecret", "/api/secrets/:name", {
      params: { name: Schema.String.check(Schema.isPattern(/^[A-Za-z][A-Za-z0-9_.-]{0,60}$/)) },
      payload: Schema.Struct({ value: Schema.String.check(Schema.isBetweenLength(1, 20_000)) }),
      success: Schema.Struct({ lastFour: Schema.String }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(Fresh, true)
      .annotate(Private, true)
      .annotate(OpenApi.Summary, "Set a secret of the company; it can be replaced, never read"),
    HttpApiEndpoint.delete("dropSecret", "/api/secrets/:name", {
      params: { name: Schema.String },
      success: Schema.Struct({ removed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(Fresh, true)
      .annotate(OpenApi.Summary, "Delete a secret of the company"),
    HttpApiEndpoint.get("integrations", "/api/integrations", {
      success: Schema.Struct({ integrations: Schema.Array(IntegrationView) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "The doors, how they are, and what passes them"),
  )
  .annotate(OpenApi.Description, "Looking into the machine") {}
