/** People: who may do what here, how they come in, what programs act for them, and who changed what. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Fresh, Needs, Role } from "./Needs.ts"
import { refusals } from "./Refusal.ts"

const name = Schema.Trim.check(Schema.isBetweenLength(1, 60))

export const PersonSummary = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  role: Role,
  since: Schema.String,
  seenAt: Schema.NullOr(Schema.String),
  /** Accounts behind doors that are this person. */
  accounts: Schema.Array(Schema.Struct({ door: Schema.String, user: Schema.String })),
  sessions: Schema.Int,
})
export type PersonSummary = typeof PersonSummary.Type

export const TokenSummary = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  person: Schema.String,
  role: Role,
  at: Schema.String,
  usedAt: Schema.NullOr(Schema.String),
  expiresAt: Schema.NullOr(Schema.String),
})
export type TokenSummary = typeof TokenSummary.Type

export const AuditEntry = Schema.Struct({
  n: Schema.Int,
  at: Schema.String,
  who: Schema.Struct({ id: Schema.String, name: Schema.String, via: Schema.String }),
  action: Schema.String,
  subject: Schema.Record(Schema.String, Schema.Unknown),
  detail: Schema.Unknown,
})
export type AuditEntry = typeof AuditEntry.Type

const link = Schema.Struct({ id: Schema.String, link: Schema.String })
const params = { id: Schema.String }

export class PeopleApi extends HttpApiGroup.make("people")
  .add(
    HttpApiEndpoint.get("list", "/api/people", {
      success: Schema.Struct({ people: Schema.Array(PersonSummary) }),
      error: refusals,
    }).annotate(OpenApi.Summary, "Who may use this Troupe"),
    HttpApiEndpoint.post("add", "/api/people", {
      payload: Schema.Struct({ name, role: Role }),
      success: link.pipe(HttpApiSchema.status(201)),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "Add a person; answers with their way in, which works once"),
    HttpApiEndpoint.patch("change", "/api/people/:id", {
      params,
      payload: Schema.Struct({ name: Schema.optionalKey(name), role: Schema.optionalKey(Role) }),
      success: Schema.Struct({ changed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "Change a name or a role; the last owner stays one"),
    HttpApiEndpoint.delete("remove", "/api/people/:id", {
      params,
      success: Schema.Struct({ removed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(Fresh, true)
      .annotate(OpenApi.Summary, "Remove a person: sessions and tokens end at once"),
    HttpApiEndpoint.post("invite", "/api/people/:id/link", {
      params,
      success: link,
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "A fresh way in for a person; works once, for an hour"),
    HttpApiEndpoint.post("end", "/api/people/:id/end", {
      params,
      success: Schema.Struct({ ended: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "owner")
      .annotate(OpenApi.Summary, "End all sessions of a person"),
    HttpApiEndpoint.get("tokens", "/api/tokens", {
      success: Schema.Struct({ tokens: Schema.Array(TokenSummary) }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "What programs come in with; never the tokens themselves"),
    HttpApiEndpoint.post("newToken", "/api/tokens", {
      payload: Schema.Struct({
        name,
        role: Role,
        days: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3650 }))),
      }),
      success: Schema.Struct({ id: Schema.String, token: Schema.String }).pipe(HttpApiSchema.status(201)),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(Fresh, true)
      .annotate(OpenApi.Summary, "A token for a program, shown this once; never more than its person may"),
    HttpApiEndpoint.delete("dropToken", "/api/tokens/:id", {
      params,
      success: Schema.Struct({ removed: Schema.Boolean }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "End a token"),
    HttpApiEndpoint.get("audit", "/api/audit", {
      query: { before: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt())) },
      success: Schema.Struct({
        entries: Schema.Array(AuditEntry),
        /** The first entry that was tampered with; null when all follow from each other. */
        broken: Schema.NullOr(Schema.Int),
      }),
      error: refusals,
    })
      .annotate(Needs, "operator")
      .annotate(OpenApi.Summary, "Who changed what, newest first"),
  )
  .annotate(OpenApi.Description, "People, their ways in, and the audit log") {}
