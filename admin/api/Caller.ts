/** Who sent this request, as the lock found out: provided to every route; nobody, where the lock was not passed. */
import * as Context from "effect/Context"
import type { Role } from "./Needs.ts"

export interface Person {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** What their words carry at the web door, and in the room log. */
  readonly user: string
}

export type CallerKind =
  | { readonly kind: "none" }
  /** The command line by the token in TROUPE_HOME, or a program by its own. */
  | { readonly kind: "token"; readonly person: Person; readonly via: "command line" | "token" }
  /** A browser: the session is kept so that a long stream can ask again whether it lasts. */
  | {
      readonly kind: "cookie"
      readonly person: Person
      readonly session: string
      readonly provedSeconds: number
    }

export const Caller = Context.Reference<CallerKind>("troupe/admin/Caller", {
  defaultValue: () => ({ kind: "none" }),
})
