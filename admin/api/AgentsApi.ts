/** Agents: who works here, what they are told, what they cost, and making new ones. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { AgentId, Mode } from "../../runtime/index.ts"
import { Fresh } from "./Needs.ts"
import { refusals } from "./Refusal.ts"

export const MemberSummary = Schema.Struct({
  id: AgentId,
  /** The handle, without @. */
  name: Schema.String,
  title: Schema.String,
  model: Schema.NullOr(Schema.String),
  state: Schema.Literals(["idle", "working", "parked"]),
})
export type MemberSummary = typeof MemberSummary.Type

const permission = Schema.Literals(["allow", "ask", "deny"])
const handle = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,30}$/))
const line = Schema.Trim.check(Schema.isBetweenLength(1, 80))

/** What a person decides about an agent. */
export const AgentDraft = Schema.Struct({
  name: handle,
  title: line,
  model: Schema.NullOr(line),
  soul: Schema.String.check(Schema.isBetweenLength(1, 20_000)),
  interests: Schema.Array(line),
  /** Names of integrations. */
  integrations: Schema.Array(Schema.String),
  steering: Schema.NullOr(Mode),
  permissions: Schema.Record(Schema.String, permission),
})
export type AgentDraft = typeof AgentDraft.Type

export const AgentDetail = Schema.Struct({
  ...AgentDraft.fields,
  id: AgentId,
  state: MemberSummary.fields.state,
  kind: Schema.Literals(["inside", "outside"]),
  /** Declared in troupe.yaml, which alone may change it; or made on the page. */
  origin: Schema.Literals(["file", "page"]),
  /** What it does now. */
  doing: Schema.Array(
    Schema.Struct({
      room: Schema.String,
      title: Schema.String,
      turn: Schema.String,
      state: Schema.String,
      since: Schema.String,
      words: Schema.String,
    }),
  ),
  /** Dollars, tokens and turns of the last thirty days. */
  spent: Schema.Finite,
  spentToday: Schema.Finite,
  turns: Schema.Int,
  failed: Schema.Int,
  medianMs: Schema.NullOr(Schema.Finite),
  cacheShare: Schema.NullOr(Schema.Finite),
})
export type AgentDetail = typeof AgentDetail.Type

/** A decision of an agent about words in a room. */
export const Decision = Schema.Struct({
  at: Schema.String,
  verdict: Schema.String,
  reason: Schema.String,
  room: Schema.String,
  title: Schema.String,
  words: Schema.String,
})
export type Decision = typeof Decision.Type

/** What the model is told before the first word: exactly, as one text each. */
export const Prompt = Schema.Struct({
  model: Schema.String,
  system: Schema.Array(Schema.String),
  tools: Schema.Array(Schema.Struct({ name: Schema.String, description: Schema.String, permission })),
})
export type Prompt = typeof Prompt.Type

const params = { id: Schema.String }

export class AgentsApi extends HttpApiGroup.make("agents")
  .add(
    HttpApiEndpoint.get("list", "/api/agents", {
      success: Schema.Struct({ agents: Schema.Array(MemberSummary) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Who works here, and who is at work"),
    HttpApiEndpoint.get("details", "/api/agents/details", {
      success: Schema.Struct({ agents: Schema.Array(AgentDetail) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "All agents with what they do and cost"),
    HttpApiEndpoint.get("decisions", "/api/agents/:id/decisions", {
      params,
      success: Schema.Struct({ decisions: Schema.Array(Decision) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "The latest decisions of an agent, newest first"),
    HttpApiEndpoint.post("preview", "/api/agents/preview", {
      payload: AgentDraft,
      success: Prompt,
      error: refusals,
    }).annotate(OpenApi.Summary, "The exact system prompt and tools that this agent would be given"),
    HttpApiEndpoint.post("add", "/api/agents", {
      payload: AgentDraft,
      success: Schema.Struct({ id: AgentId }).pipe(HttpApiSchema.status(201)),
      error: refusals,
    }).annotate(OpenApi.Summary, "Hire an agent; it hears its rooms from now on"),
    HttpApiEndpoint.put("change", "/api/agents/:id", {
      params,
      payload: AgentDraft,
      success: Schema.Struct({ changed: Schema.Boolean }),
      error: refusals,
    }).annotate(
      OpenApi.Summary,
      "Change an agent that was made on the page; a running turn ends as it began",
    ),
    HttpApiEndpoint.delete("remove", "/api/agents/:id", {
      params,
      success: Schema.Struct({ removed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Fresh, true)
      .annotate(OpenApi.Summary, "Let an agent go; what it said stays"),
  )
  .annotate(OpenApi.Description, "Agents") {}
