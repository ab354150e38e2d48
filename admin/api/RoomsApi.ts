/** Rooms: their list, their log by position, the live stream, speaking, and why each agent did what it did. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { AgentId, DoorId, Event, EventId, Mode, Order, ThreadId, TurnId } from "../../runtime/index.ts"
import { Needs } from "./Needs.ts"
import { refusals } from "./Refusal.ts"

export const RoomSummary = Schema.Struct({
  id: ThreadId,
  door: DoorId,
  /** The integration's name: `web`, `team-chat`. */
  doorName: Schema.String,
  /** The platform's own address of the room; its id, behind the web door. */
  channel: Schema.String,
  title: Schema.String,
  /** The last position; 0 in an empty room. */
  head: Schema.Int,
  /** When something was last said, as ISO 8601. */
  lastAt: Schema.NullOr(Schema.String),
  /** People may speak here from the page: true for rooms of the web door. */
  speakable: Schema.Boolean,
  /** What was said last, cut to a line. */
  last: Schema.NullOr(Schema.Struct({ author: Schema.String, text: Schema.String })),
  /** Agents with an open turn here. */
  working: Schema.Array(AgentId),
  /** Questions here that wait for a person. */
  asks: Schema.Int,
})
export type RoomSummary = typeof RoomSummary.Type

/** A piece of an agent's words as the model says them; never stored. `n` counts pieces of one (turn, fence) from 0. */
export const Delta = Schema.Struct({
  turn: TurnId,
  agent: AgentId,
  fence: Schema.Int,
  n: Schema.Int,
  text: Schema.String,
})
export type Delta = typeof Delta.Type

/** What one agent did with one message, and why (P4: total). */
export const WhyEntry = Schema.Struct({
  agent: AgentId,
  name: Schema.String,
  verdict: Schema.Literals(["lead", "queued", "joined", "pass", "parked", "due"]),
  reason: Schema.String,
})
export type WhyEntry = typeof WhyEntry.Type

/** One tool call of a turn, from the transcript: the input as JSON text, the output as the model read it. */
export const CallDetail = Schema.Struct({
  input: Schema.NullOr(Schema.String),
  output: Schema.NullOr(Schema.String),
})
export type CallDetail = typeof CallDetail.Type

export const OpenRoom = Schema.Struct({ title: Schema.Trim.check(Schema.isBetweenLength(1, 120)) })

/** `id` is the client's own, so that sending again says it once. */
export const Say = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/)),
  text: Schema.String.check(Schema.isBetweenLength(1, 32_768)),
  replyTo: Schema.optionalKey(EventId),
  /** A button that was pressed; words that are an order are found by the room itself. */
  order: Schema.optionalKey(Order),
  /** How the words reach an agent at work, where it is not the usual way. */
  mode: Schema.optionalKey(Mode),
})
export type Say = typeof Say.Type

const position = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))

/** At most so many events in one answer. */
export const pageSize = 500

export class RoomsApi extends HttpApiGroup.make("rooms")
  .add(
    HttpApiEndpoint.get("list", "/api/rooms", {
      success: Schema.Struct({ rooms: Schema.Array(RoomSummary) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "The rooms, the latest first"),
    HttpApiEndpoint.post("open", "/api/rooms", {
      payload: OpenRoom,
      success: RoomSummary.pipe(HttpApiSchema.status(201)),
      error: refusals,
    })
      .annotate(Needs, "member")
      .annotate(OpenApi.Summary, "Open a room behind the web door"),
    HttpApiEndpoint.get("get", "/api/rooms/:id", {
      params: { id: Schema.String },
      success: RoomSummary,
      error: refusals,
    }).annotate(OpenApi.Summary, "One room"),
    HttpApiEndpoint.get("events", "/api/rooms/:id/events", {
      params: { id: Schema.String },
      query: { after: Schema.optionalKey(position), before: Schema.optionalKey(position) },
      success: Schema.Struct({ events: Schema.Array(Event), more: Schema.Boolean }),
      error: refusals,
    }).annotate(
      OpenApi.Summary,
      "At most 500 events: after a position, or the last ones before it; `more` when there are others",
    ),
    HttpApiEndpoint.get("stream", "/api/rooms/:id/stream", {
      params: { id: Schema.String },
      query: { after: Schema.optionalKey(position) },
      headers: { "last-event-id": Schema.optionalKey(Schema.String) },
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/event-stream" })),
      error: refusals,
    }).annotate(
      OpenApi.Summary,
      "Server-sent events: `event` (its id is its position), `delta`, `ready`, `beat`; Last-Event-ID continues",
    ),
    HttpApiEndpoint.get("live", "/api/live", {
      query: { room: Schema.optionalKey(Schema.String), after: Schema.optionalKey(position) },
      headers: { "last-event-id": Schema.optionalKey(Schema.String) },
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/event-stream" })),
      error: refusals,
    }).annotate(
      OpenApi.Summary,
      "Server-sent events of the whole company: `changed` names the rooms and agents something happened with; with `room`, also its stream",
    ),
    HttpApiEndpoint.get("call", "/api/turns/:turn/calls/:call", {
      params: { turn: Schema.String, call: Schema.String },
      success: CallDetail,
      error: refusals,
    }).annotate(OpenApi.Summary, "What a tool was asked, and what it answered"),
    HttpApiEndpoint.get("blob", "/api/blobs/:id", {
      params: { id: Schema.String },
      success: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array()),
      error: refusals,
    }).annotate(OpenApi.Summary, "The bytes of an attachment; always as a download, never shown as a page"),
    HttpApiEndpoint.post("say", "/api/rooms/:id/say", {
      params: { id: Schema.String },
      payload: Say,
      success: Schema.Struct({
        event: Schema.NullOr(EventId),
        pos: Schema.NullOr(Schema.Int),
        duplicate: Schema.Boolean,
        /** What came of an order, in one sentence. */
        outcome: Schema.NullOr(Schema.String),
      }),
      error: refusals,
    })
      .annotate(Needs, "member")
      .annotate(OpenApi.Summary, "Say something; answered after commit, and the same `id` says it once"),
    HttpApiEndpoint.get("why", "/api/rooms/:id/why", {
      params: { id: Schema.String },
      query: { message: EventId },
      success: Schema.Struct({ why: Schema.Array(WhyEntry) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "What each agent did with a message, and why"),
    HttpApiEndpoint.post("stop", "/api/turns/:turn/stop", {
      params: { turn: Schema.String },
      success: Schema.Struct({ stopped: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "member")
      .annotate(
        OpenApi.Summary,
        "Stop a running turn: committed when this answers; false when it was not running",
      ),
  )
  .annotate(OpenApi.Description, "Rooms, their logs, and those who speak in them") {}
