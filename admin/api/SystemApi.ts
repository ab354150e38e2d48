/** The installation: what runs where, taking up troupe.yaml, the way in. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { DoorId } from "../../runtime/index.ts"
import { Needs, Role } from "./Needs.ts"
import { Misconfigured, refusals } from "./Refusal.ts"

export const Status = Schema.Struct({
  /** No model key: answers come from simple rules, and the page says so. */
  rehearsal: Schema.Boolean,
  /** What runs where, for people: `{ name: "Postgres", where: "embedded, 18.4" }`. */
  parts: Schema.Array(Schema.Struct({ name: Schema.String, where: Schema.String })),
  integrations: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      type: Schema.String,
      state: Schema.Literals(["connected", "connecting", "failed"]),
      detail: Schema.NullOr(Schema.String),
    }),
  ),
})
export type Status = typeof Status.Type

/** Who is asking, and what they may do. `id` and `door` are what their words carry in the room log. */
export const Me = Schema.Struct({
  id: Schema.String,
  door: DoorId,
  name: Schema.String,
  role: Role,
})
export type Me = typeof Me.Type

export class SystemApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("me", "/api/me", { success: Me, error: refusals }).annotate(
      OpenApi.Summary,
      "Who is asking, and what they may do",
    ),
    HttpApiEndpoint.get("status", "/api/status", { success: Status, error: refusals }).annotate(
      OpenApi.Summary,
      "What runs where, and how the integrations are",
    ),
    HttpApiEndpoint.post("apply", "/api/apply", {
      success: Schema.Struct({ agents: Schema.Array(Schema.String) }),
      error: [...refusals, Misconfigured],
    }).annotate(OpenApi.Summary, "Read troupe.yaml again and apply it whole or not at all"),
    HttpApiEndpoint.post("link", "/api/link", {
      success: Schema.Struct({ url: Schema.String }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "A fresh one-time link to the page"),
    HttpApiEndpoint.post("leave", "/api/leave", {
      success: Schema.Struct({ left: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "viewer")
      .annotate(OpenApi.Summary, "End this session"),
  )
  .annotate(OpenApi.Description, "The installation") {}
