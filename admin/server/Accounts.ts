/**
 * Who may use the page and the API. Nobody has a password: a person comes in by a link that works once and for an hour, which
 * becomes a session of this browser, or a program by a token. Links, sessions and tokens are random 256-bit texts of which only
 * the hash is kept, in Postgres, so that a restart ends nothing. A session ends after 30 idle minutes or 12 hours, whichever
 * is first. The first link makes the owner. Rights are looked up at each request.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash, randomBytes } from "node:crypto"
import { newId, Roster, Sql, type StoreError } from "../../runtime/index.ts"
import type { Person, Role } from "../api/index.ts"

export const linkMinutes = 60
export const idleMinutes = 30
export const longestMinutes = 12 * 60

export interface Entered {
  readonly session: string
  readonly person: Person
}

/** How a request proved who it is. */
export interface Known {
  readonly person: Person
  /** Seconds since the person showed that it is them; null for a program. */
  readonly provedSeconds: number | null
}

export class Accounts extends Context.Service<
  Accounts,
  {
    /** A fresh one-time token for `/enter?token=`; for the first owner when no person is named. */
    readonly issueLink: (person: string | null) => Effect.Effect<string, StoreError>
    /** The session for a link that was never used, once. */
    readonly redeem: (link: string, agent: string) => Effect.Effect<Entered | null, StoreError>
    /** Who a session is, while it lasts; counts as activity. */
    readonly session: (token: string) => Effect.Effect<Known | null, StoreError>
    readonly program: (token: string) => Effect.Effect<Known | null, StoreError>
    readonly end: (session: string) => Effect.Effect<void, StoreError>
    /** Ends every session of a person, or of everybody. */
    readonly endAll: (person: string | null) => Effect.Effect<void, StoreError>
    /** The owner that the command line acts for. */
    readonly owner: Effect.Effect<Person, StoreError>
    readonly issueToken: (
      person: string,
      name: string,
      role: Role,
      days: number | null,
    ) => Effect.Effect<{ readonly id: string; readonly token: string }, StoreError>
  }
>()("troupe/admin/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const sql = yield* Sql
      const { ws, now } = yield* Roster
      const web = [...now().doors.values()].find((d) => d.type === "web")?.id ?? ""
      const one = <A extends object>(text: string, params: ReadonlyArray<unknown>) =>
        Effect.map(sql.cold<A>(text, params), (rows) => rows[0])
      const id = Effect.map(Clock.currentTimeMillis, (now) => newId<string>(now))
      const owner = Effect.map(one<Person>(ownerText, [ws]), (found) => found ?? firstOwner)
      return Accounts.of({
        issueLink: Effect.fnUntraced(function* (person) {
          const token = newToken()
          yield* sql.cold(linkText, [hashOf(token), person, linkMinutes])
          return token
        }),
        redeem: Effect.fnUntraced(function* (link, agent) {
          const session = newToken()
          const person = yield* one<Person>(redeemText, [
            hashOf(link),
            hashOf(session),
            agent
              .slice(0, 200)
              .replaceAll(/\p{Cc}/gu, " ")
              .toWellFormed(),
            ws,
            web,
            yield* id,
          ])
          return person === undefined ? null : { session, person }
        }),
        session: (token) =>
          Effect.map(one<Person & Proved>(sessionText, [hashOf(token), idleMinutes, longestMinutes]), known),
        program: (token) => Effect.map(one<Person & Proved>(tokenText, [hashOf(token)]), known),
        end: (session) => Effect.asVoid(sql.cold("delete from session where hash = $1", [hashOf(session)])),
        endAll: (person) =>
          Effect.asVoid(sql.cold("delete from session where $1::text is null or person = $1", [person])),
        owner,
        issueToken: Effect.fnUntraced(function* (person, name, role, days) {
          const token = `trp_${newToken()}`
          const fresh = yield* id
          const owner = yield* id
          yield* sql.cold(newTokenText, [fresh, hashOf(token), person, name, role, days, ws, web, owner])
          return { id: fresh, token }
        }),
      })
    }),
  )
}

interface Proved {
  readonly proved: number | null
}
const known = (row: (Person & Proved) | undefined): Known | null => {
  if (row === undefined) return null
  const { proved, ...person } = row
  return { person, provedSeconds: proved }
}

export const newToken = (): string => randomBytes(32).toString("base64url")
export const hashOf = (token: string): string => createHash("sha256").update(token).digest("base64url")

/** Before anybody came in, whoever runs Troupe is its owner. In the room log the owner is always `owner`. */
const firstOwner: Person = { id: "owner", user: "owner", name: "Owner", role: "owner" }

/** What a person's words carry at the web door. */
const personColumns = `p.id, p.name, p.role,
  coalesce((select i.external_user from identity i join door d on d.id = i.door and d.type = 'web' where i.person = p.id limit 1), p.id) as "user"`

const ownerText = `select ${personColumns} from person p where p.ws = $1 and p.role = 'owner' order by p.at limit 1`
const linkText = `
with gone as (delete from entrance where expires_at < now())
insert into entrance (hash, person, expires_at) values ($1, $2, now() + $3::int * interval '1 minute')`

/** The link is used up, the first owner is made where there is none, the session begins: one statement. */
const redeemText = `
with used as (delete from entrance where hash = $1 and expires_at > now() returning person),
known as (select coalesce(u.person, (select id from person where ws = $4 and role = 'owner' order by at limit 1)) as id from used u),
made as (
  insert into person (id, ws, name, role) select $6, $4, 'Owner', 'owner' from known where id is null returning id, name, role),
named as (
  insert into identity (door, external_user, person) select $5, 'owner', id from made
  on conflict (door, external_user) do update set person = excluded.person),
who as (
  select id, name, role, 'owner' as "user" from made
  union all select ${personColumns} from known k join person p on p.id = k.id),
began as (insert into session (hash, person, agent) select $2, id, $3 from who)
select id, name, role, "user" from who`

const sessionText = `
with s as (
  update session set seen_at = now()
  where hash = $1 and seen_at > now() - $2::int * interval '1 minute' and since > now() - $3::int * interval '1 minute'
  returning person, extract(epoch from now() - proved_at)::float8 as proved)
select ${personColumns}, s.proved from s join person p on p.id = s.person`

const lesser = `(array['viewer', 'member', 'operator', 'owner'])[least(
  array_position(array['viewer', 'member', 'operator', 'owner'], t.role), array_position(array['viewer', 'member', 'operator', 'owner'], p.role))]`
const tokenText = `
with t as (
  update token set used_at = now() where hash = $1 and (expires_at is null or expires_at > now()) returning person, role)
select x.id, x.name, x."user", ${lesser.replaceAll("p.role", "x.role")} as role, null as proved
from t join lateral (select ${personColumns} from person p where p.id = t.person) x on true`
/** From the command line, before anybody came in by a link: the first owner is made, whose token it is. */
const newTokenText = `
with made as (
  insert into person (id, ws, name, role) select $9, $7, 'Owner', 'owner'
  where $3 = '${firstOwner.id}' and not exists (select from person where ws = $7 and role = 'owner') returning id),
named as (
  insert into identity (door, external_user, person) select $8, 'owner', id from made
  on conflict (door, external_user) do update set person = excluded.person)
insert into token (id, hash, person, name, role, expires_at)
values ($1, $2, coalesce((select id from made), $3), $4, $5, now() + $6::int * interval '1 day')`
