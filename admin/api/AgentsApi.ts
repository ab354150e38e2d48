/** Agents: who works here. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { AgentId } from "../../runtime/index.ts"
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

export class AgentsApi extends HttpApiGroup.make("agents")
  .add(
    HttpApiEndpoint.get("list", "/api/agents", {
      success: Schema.Struct({ agents: Schema.Array(MemberSummary) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Who works here, and who is at work"),
  )
  .annotate(OpenApi.Description, "Agents") {}
