/**
 * The room's events: what is stored in the log and published on `troupe.<ws>.thread.<door>.<thread>.<kind>`.
 * One schema per kind; a payload is the envelope and the body in one flat, readable JSON object.
 * Times are ISO 8601, money is US dollars, durations are milliseconds.
 */
import * as Schema from "effect/Schema"
import { AgentId, BlobId, DoorId, EventId, ThreadId, TurnId } from "./Id.ts"
import { Mode, Order } from "./Order.ts"

/** Who spoke. `id` is the platform's numeric id (people) or the agent id: identity is never a name. */
export const Author = Schema.Struct({
  door: DoorId,
  id: Schema.String,
  name: Schema.String,
  kind: Schema.Literals(["person", "agent", "bot", "system"]),
})
export type Author = typeof Author.Type

/** A file that came with a message; its bytes are a row in `blob`, when they were fetched. */
export const Attachment = Schema.Struct({
  kind: Schema.Literals(["photo", "document", "audio", "voice", "video", "sticker", "other"]),
  name: Schema.String,
  mime: Schema.String,
  size: Schema.Int,
  blob: Schema.NullOr(BlobId),
})
export type Attachment = typeof Attachment.Type

/** Words in the room, from a person or an agent. `edits` names the message whose text this one replaces. */
export const Message = Schema.Struct({
  kind: Schema.tag("message"),
  author: Author,
  text: Schema.String,
  truncated: Schema.optionalKey(Schema.Boolean),
  mentions: Schema.Array(AgentId),
  attachments: Schema.Array(Attachment),
  replyTo: Schema.NullOr(EventId),
  edits: Schema.NullOr(EventId),
  /** What these words follow from: the person's message that started it, and how many agents spoke since. */
  root: EventId,
  hop: Schema.Int,
  /** Whom the room asks: agent ids, `*` for whoever ranks first, `?` for whom a model finds, `!` the runtime; nobody when empty. */
  slots: Schema.Array(Schema.String),
  /** The agent that last led this author here, within ten minutes. */
  lastLead: Schema.NullOr(AgentId),
  /** The person all this is done for: `<door>:<numeric id>` of the author of the root. */
  principal: Schema.String,
  /** On a message that is published again because nobody decided it: which time this is. */
  repair: Schema.optionalKey(Schema.Int),
  /** The turn that said it, for agents' words. */
  turn: Schema.NullOr(TurnId),
  /** Words that steer. */
  order: Schema.optionalKey(Order),
  /** How these words reach an agent at work, where it is not the usual way. */
  mode: Schema.optionalKey(Mode),
  /** An agent asks another for help: what comes of it is told to the author. */
  invites: Schema.optionalKey(Schema.Boolean),
  /** Agents these words name and did not ask, because agents had answered each other too often. */
  uncalled: Schema.optionalKey(Schema.Array(AgentId)),
  /** What can be pressed below the words: whoever presses it says so. */
  actions: Schema.optionalKey(Schema.Array(Schema.Struct({ label: Schema.String, order: Order }))),
})
export type Message = typeof Message.Type

/** One per decided slot: who leads the answer to `message`, and why. */
export const Intent = Schema.Struct({
  kind: Schema.tag("intent"),
  message: EventId,
  slot: Schema.String,
  leader: AgentId,
  verdict: Schema.Literals(["lead", "queued", "joined", "pass", "parked"]),
  reason: Schema.String,
  ranking: Schema.Array(AgentId),
})
export type Intent = typeof Intent.Type

export const Usage = Schema.Struct({
  input: Schema.Int,
  output: Schema.Int,
  cacheRead: Schema.Int,
  cacheWrite5m: Schema.Int,
  cacheWrite1h: Schema.Int,
})
export type Usage = typeof Usage.Type

export const Turn = Schema.Struct({
  kind: Schema.tag("turn"),
  turn: TurnId,
  agent: AgentId,
  message: EventId,
  state: Schema.Literals([
    "started",
    "joined",
    "waiting",
    "resumed",
    "finished",
    "failed",
    "stopped",
    "parked",
  ]),
  reason: Schema.NullOr(Schema.String),
  usage: Schema.NullOr(Usage),
  cost: Schema.NullOr(Schema.Finite),
  ms: Schema.NullOr(Schema.Finite),
  tools: Schema.NullOr(Schema.Int),
})
export type Turn = typeof Turn.Type

/** Start and receipt of one tool call. Never the output. */
export const Tool = Schema.Struct({
  kind: Schema.tag("tool"),
  turn: TurnId,
  agent: AgentId,
  call: Schema.String,
  tool: Schema.String,
  state: Schema.Literals(["started", "finished", "unknown"]),
  /** What was asked, in one line: the command, the path. */
  summary: Schema.String,
  ok: Schema.NullOr(Schema.Boolean),
  exitCode: Schema.NullOr(Schema.Int),
  ms: Schema.NullOr(Schema.Finite),
})
export type Tool = typeof Tool.Type

export const Approval = Schema.Struct({
  kind: Schema.tag("approval"),
  turn: TurnId,
  agent: AgentId,
  call: Schema.String,
  state: Schema.Literals(["asked", "answered"]),
  summary: Schema.String,
  answer: Schema.NullOr(Schema.Literals(["yes", "no", "expired"])),
  /** Who answered, as a principal. */
  by: Schema.NullOr(Schema.String),
})
export type Approval = typeof Approval.Type

/** Where an agent's words were said, with the platform's id. */
export const Delivery = Schema.Struct({
  kind: Schema.tag("delivery"),
  turn: TurnId,
  agent: AgentId,
  part: Schema.Int,
  platformId: Schema.String,
})
export type Delivery = typeof Delivery.Type

export const Body = Schema.Union([Message, Intent, Turn, Tool, Approval, Delivery])
export type Body = typeof Body.Type
export type Kind = Body["kind"]

/**
 * The envelope of a stored event. `pos` is its place in the thread's log; `prev` the position of the message before it, for
 * a message (0: there is none), else `pos - 1`.
 */
const envelope = {
  id: EventId,
  door: DoorId,
  thread: ThreadId,
  pos: Schema.Int,
  prev: Schema.Int,
  at: Schema.String,
  traceparent: Schema.optionalKey(Schema.String),
}
const stored = <F extends Schema.Struct.Fields>(body: Schema.Struct<F>) =>
  Schema.Struct({ ...envelope, ...body.fields })

export const MessageEvent = stored(Message)
export type MessageEvent = typeof MessageEvent.Type
/** What stands in the log and on the bus, by kind. */
export const events = {
  message: MessageEvent,
  intent: stored(Intent),
  turn: stored(Turn),
  tool: stored(Tool),
  approval: stored(Approval),
  delivery: stored(Delivery),
} as const satisfies Readonly<Record<Kind, Schema.Top>>
export const Event = Schema.Union([
  events.message,
  events.intent,
  events.turn,
  events.tool,
  events.approval,
  events.delivery,
])
export type Event = typeof Event.Type

/** A piece of a running turn's words, on `live`; never stored. `n` counts pieces of one (turn, fence) from 0. */
export const LiveDelta = Schema.Struct({
  turn: TurnId,
  fence: Schema.Int,
  n: Schema.Int,
  text: Schema.String,
})
export type LiveDelta = typeof LiveDelta.Type
