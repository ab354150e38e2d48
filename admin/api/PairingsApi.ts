/** Strangers who wrote to a door, and letting them in. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Needs } from "./Needs.ts"
import { refusals } from "./Refusal.ts"

export const PairingSummary = Schema.Struct({
  door: Schema.String,
  doorName: Schema.String,
  /** The platform's number. */
  user: Schema.String,
  /** As they call themselves. */
  name: Schema.String,
  state: Schema.Literals(["waiting", "in"]),
  at: Schema.String,
})
export type PairingSummary = typeof PairingSummary.Type

export class PairingsApi extends HttpApiGroup.make("pairings")
  .add(
    HttpApiEndpoint.get("list", "/api/pairings", {
      success: Schema.Struct({ pairings: Schema.Array(PairingSummary) }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "Who asks to be let in, and who was; never the codes"),
    HttpApiEndpoint.post("approve", "/api/pairings", {
      payload: Schema.Struct({ code: Schema.String.check(Schema.isMaxLength(40)) }),
      success: PairingSummary,
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "Let in whoever got this code"),
    HttpApiEndpoint.delete("remove", "/api/pairings/:door/:user", {
      params: { door: Schema.String, user: Schema.String },
      success: Schema.Struct({ removed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "Make somebody who was let in a stranger again"),
  )
  .annotate(OpenApi.Description, "Strangers at the doors") {}
