/**
 * Who may call an endpoint: a part of its definition, enforced in one place for all of them (`Guard`), and told in the OpenAPI
 * document. A role may do whatever a lower one may.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** From the least to the most. */
export const roles = ["viewer", "member", "operator", "owner"] as const
export const Role = Schema.Literals(roles)
export type Role = typeof Role.Type

/** The least role that may call the endpoint. Without it, reading needs a viewer and changing an operator. */
export class Needs extends Context.Service<Needs, Role>()("troupe/admin/Needs") {}

/** The person must have shown within ten minutes that it is them: deleting, secrets, tokens, allow-lists. */
export class Fresh extends Context.Service<Fresh, boolean>()("troupe/admin/Fresh") {}

/** The body holds what nobody may read again: the audit log tells only that it was sent. */
export class Private extends Context.Service<Private, boolean>()("troupe/admin/Private") {}

export const covers = (has: Role, needs: Role): boolean => roles.indexOf(has) >= roles.indexOf(needs)
