/** Who sent this request, as the lock found out: provided to every route; nobody, where the lock was not passed. */
import * as Context from "effect/Context"
import type { Role } from "./Needs.ts"

export type CallerKind =
  | { readonly kind: "none" }
  /** The command line, by the token in TROUPE_HOME. */
  | { readonly kind: "token" }
  /** A browser: kept so that a long stream can ask again whether the session lasts. */
  | { readonly kind: "cookie"; readonly session: string }

export const Caller = Context.Reference<CallerKind>("troupe/admin/Caller", {
  defaultValue: () => ({ kind: "none" }),
})

/** What the caller may do; nobody who is not known has a role. */
export const roleOf = (caller: CallerKind): Role | null => (caller.kind === "none" ? null : "owner")
