/** The people of this Troupe and what programs come in with, in Postgres. Every change is one statement; the last owner stays one. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { newId, Roster, Sql, type StoreError } from "../../runtime/index.ts"
import type { PersonSummary, Role, TokenSummary } from "../api/index.ts"

export class People extends Context.Service<
  People,
  {
    readonly list: Effect.Effect<ReadonlyArray<PersonSummary>, StoreError>
    readonly add: (name: string, role: Role) => Effect.Effect<string, StoreError>
    /** False: there is no such person, or nobody would own this Troupe any more. */
    readonly change: (
      person: string,
      to: { readonly name?: string; readonly role?: Role },
    ) => Effect.Effect<boolean, StoreError>
    readonly remove: (person: string) => Effect.Effect<boolean, StoreError>
    readonly has: (person: string) => Effect.Effect<boolean, StoreError>
    readonly tokens: Effect.Effect<ReadonlyArray<TokenSummary>, StoreError>
    readonly dropToken: (token: string) => Effect.Effect<boolean, StoreError>
  }
>()("troupe/admin/People") {
  static readonly layer = Layer.effect(
    People,
    Effect.gen(function* () {
      const sql = yield* Sql
      const { ws } = yield* Roster
      const any = (text: string, params: ReadonlyArray<unknown>) =>
        Effect.map(sql.cold(text, params), (rows) => rows.length > 0)
      return People.of({
        list: sql.cold<PersonSummary>(listText, [ws]),
        add: Effect.fnUntraced(function* (name, role) {
          const id = newId<string>(yield* Clock.currentTimeMillis)
          yield* sql.cold(addText, [id, ws, name, role])
          return id
        }),
        change: (person, { name = null, role = null }) => any(changeText, [ws, person, name, role]),
        remove: (person) => any(removeText, [ws, person]),
        has: (person) => any("select 1 from person where ws = $1 and id = $2", [ws, person]),
        tokens: sql.cold<TokenSummary>(tokensText, [ws]),
        dropToken: (token) =>
          any(
            "delete from token t using person p where t.id = $2 and p.id = t.person and p.ws = $1 returning t.id",
            [ws, token],
          ),
      })
    }),
  )
}

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const listText = `
select p.id, p.name, p.role, ${iso("p.at")} as since,
  (select ${iso("max(s.seen_at)")} from session s where s.person = p.id) as "seenAt",
  (select coalesce(jsonb_agg(jsonb_build_object('door', d.name, 'user', i.external_user) order by d.name), '[]')
     from identity i join door d on d.id = i.door where i.person = p.id) as accounts,
  (select count(*)::int from session s where s.person = p.id) as sessions
from person p where p.ws = $1 order by p.at`

/** What the new person says on the page carries their id. */
const addText = `
with p as (insert into person (id, ws, name, role) values ($1, $2, $3, $4) returning id)
insert into identity (door, external_user, person)
select d.id, p.id, p.id from p, door d where d.ws = $2 and d.type = 'web' and d.removed_at is null`

const owners = "(select count(*) from person o where o.ws = $1 and o.role = 'owner' and o.id <> $2) > 0"
const changeText = `
update person p set name = coalesce($3, p.name), role = coalesce($4, p.role)
where p.ws = $1 and p.id = $2 and (p.role <> 'owner' or coalesce($4, 'owner') = 'owner' or ${owners}) returning p.id`
const removeText = `
with gone as (delete from person p where p.ws = $1 and p.id = $2 and (p.role <> 'owner' or ${owners}) returning p.id),
s as (delete from session where person in (select id from gone)),
t as (delete from token where person in (select id from gone)),
e as (delete from entrance where person in (select id from gone)),
i as (delete from identity where person in (select id from gone))
select id from gone`

const tokensText = `
select t.id, t.name, p.name as person, t.role, ${iso("t.at")} as at, ${iso("t.used_at")} as "usedAt", ${iso("t.expires_at")} as "expiresAt"
from token t join person p on p.id = t.person where p.ws = $1 order by t.at desc`
