/**
 * One person, many doors. Two accounts become one person's only with proof on both sides: the first account names the second
 * by its number and gets a code, the second says the code itself. A code works once, for ten minutes, for that number only,
 * and only its hash is kept. Rights are looked up at each use (P13). Two people who both have a role here are not made one.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash, randomInt } from "node:crypto"
import { newId, type DoorId } from "../room/Id.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"

/** A platform account: the platform's number behind one door. */
export interface Account {
  readonly door: DoorId
  readonly user: string
}

export class Identities extends Context.Service<
  Identities,
  {
    /** All accounts of the person behind this one, itself first; itself alone when nothing is linked. */
    readonly accounts: (of: Account) => Effect.Effect<ReadonlyArray<Account>, StoreError>
    /** The code that `to` has to say itself. It replaces an earlier one between the two. */
    readonly begin: (from: Account, to: Account) => Effect.Effect<string, StoreError>
    /** Links `by` with the account that began, when the code is theirs and fresh. */
    readonly finish: (code: string, by: Account) => Effect.Effect<Account | undefined, StoreError>
    /** The account stands alone again. False: it did before. */
    readonly unlink: (account: Account) => Effect.Effect<boolean, StoreError>
  }
>()("troupe/identity/Identities") {
  static readonly layer = Layer.effect(
    Identities,
    Effect.gen(function* () {
      const sql = yield* Sql
      return Identities.of({
        accounts: (of) =>
          Effect.map(sql.cold<Account>(accountsText, [of.door, of.user]), (rows) => [of, ...rows]),
        begin: Effect.fnUntraced(function* (from, to) {
          const code = newCode()
          yield* sql.cold(beginText, [hash(code), from.door, from.user, to.door, to.user])
          return code
        }),
        finish: Effect.fnUntraced(function* (code, by) {
          const person = newId(yield* Clock.currentTimeMillis)
          const rows = yield* sql.cold<Account>(finishText, [hash(code), by.door, by.user, person])
          return rows[0]
        }),
        unlink: ({ door, user }) =>
          Effect.gen(function* () {
            const person = newId(yield* Clock.currentTimeMillis)
            return (yield* sql.cold(unlinkText, [door, user, person])).length > 0
          }),
      })
    }),
  )
}

const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

/** 60 bits, in groups that can be read aloud. */
const newCode = () =>
  Array.from({ length: 12 }, (_, i) => (i > 0 && i % 4 === 0 ? "-" : "") + letters[randomInt(32)]).join("")

const hash = (code: string) =>
  createHash("sha256")
    .update(code.toUpperCase().replaceAll(/[^0-9A-Z]/g, ""))
    .digest("hex")

const accountsText = `
select o.door, o.external_user as "user" from identity i join identity o on o.person = i.person
where i.door = $1 and i.external_user = $2 and not (o.door = $1 and o.external_user = $2) order by o.at, o.door`

const beginText = `
with gone as (
  delete from link where expires_at < now()
    or (door = $2 and external_user = $3 and to_door = $4 and to_user = $5))
insert into link (code, door, external_user, to_door, to_user, expires_at)
values ($1, $2, $3, $4, $5, now() + interval '10 minutes')`

/** Both accounts, and whoever was linked with them already, are one person from now on. */
const finishText = `
with used as (
  delete from link where code = $1 and to_door = $2 and to_user = $3 and expires_at > now() returning *),
pair as (
  select door, external_user from used union select to_door, to_user from used),
known as (
  select distinct i.person, p.id is not null as employed from identity i join pair using (door, external_user)
  left join person p on p.id = i.person),
one as (
  select coalesce((select person from known order by employed desc, person limit 1), $4) as person from used
  where (select count(*) from known where employed) < 2),
merged as (
  update identity set person = one.person from one where identity.person in (select person from known)
    and (door, external_user) not in (select door, external_user from pair)),
added as (
  insert into identity (door, external_user, person)
  select p.door, p.external_user, one.person from pair p, one
  on conflict (door, external_user) do update set person = excluded.person)
select door, external_user as "user" from used, one`

const unlinkText = `
update identity set person = $3 where door = $1 and external_user = $2
  and exists (select from identity o where o.person = identity.person and (o.door, o.external_user) <> ($1, $2))
returning person`
