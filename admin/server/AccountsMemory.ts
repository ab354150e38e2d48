/** Accounts in memory, behind the same port: for tests that need no database. One owner, and whoever is added. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Person } from "../api/index.ts"
import { Accounts, hashOf, idleMinutes, linkMinutes, longestMinutes, newToken } from "./Accounts.ts"

/** Adds a person, as the page People does. */
export class Crowd extends Context.Service<
  Crowd,
  { readonly add: (person: Person) => Effect.Effect<void> }
>()("troupe/admin/test/Crowd") {}

const minute = 60_000

export const owner: Person = { id: "owner", user: "owner", name: "Owner", role: "owner" }

export const layer: Layer.Layer<Accounts | Crowd> = Layer.effectContext(
  Effect.sync(() => {
    const people = new Map([[owner.id, owner]])
    const links = new Map<string, { readonly person: string | null; readonly until: number }>()
    const sessions = new Map<string, { readonly person: string; readonly since: number; seen: number }>()
    const tokens = new Map<string, Person>()
    const accounts = Accounts.of({
      issueLink: (person) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const token = newToken()
          links.set(hashOf(token), { person, until: now + linkMinutes * minute })
          return token
        }),
      redeem: (link) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const found = links.get(hashOf(link))
          links.delete(hashOf(link))
          const person = people.get(found?.person ?? owner.id)
          if (found === undefined || found.until <= now || person === undefined) return null
          const session = newToken()
          sessions.set(hashOf(session), { person: person.id, since: now, seen: now })
          return { session, person }
        }),
      session: (token) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const session = sessions.get(hashOf(token))
          const over =
            session === undefined ||
            now - session.seen >= idleMinutes * minute ||
            now - session.since >= longestMinutes * minute
          const person = over ? undefined : people.get(session.person)
          if (over || person === undefined) return null
          session.seen = now
          return { person, provedSeconds: (now - session.since) / 1000 }
        }),
      program: (token) =>
        Effect.sync(() => {
          const person = tokens.get(hashOf(token))
          return person === undefined ? null : { person, provedSeconds: null }
        }),
      end: (session) => Effect.sync(() => void sessions.delete(hashOf(session))),
      endAll: (person) =>
        Effect.sync(() => {
          for (const [hash, session] of sessions)
            if (person === null || session.person === person) sessions.delete(hash)
        }),
      owner: Effect.succeed(owner),
      issueToken: (person, _name, role) =>
        Effect.sync(() => {
          const token = `trp_${newToken()}`
          tokens.set(hashOf(token), { ...people.get(person)!, role })
          return { id: "t1", token }
        }),
    })
    const crowd = Crowd.of({ add: (person) => Effect.sync(() => void people.set(person.id, person)) })
    return Context.make(Accounts, accounts).pipe(Context.add(Crowd, crowd))
  }),
)
