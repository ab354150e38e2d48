/**
 * Strangers who ask to be let in. Whoever writes to a door that does not know them gets one code; an owner of the company who
 * gives that code here lets that number in, at that door (P13: a number, never a name). A code lives for a day. Strangers cannot fill the
 * table: at most so many wait at a door, and so many are new within a minute.
 *
 * Who is let in is known in memory, so that the hot path asks nobody; it is read again when it changes anywhere.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomInt } from "node:crypto"
import { Bus } from "../bus/Bus.ts"
import { controlSubject } from "../bus/Subject.ts"
import type { DoorId } from "../room/Id.ts"
import { Roster } from "../room/Roster.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"

export interface Pairing {
  readonly door: DoorId
  readonly doorName: string
  readonly user: string
  /** As they call themselves; no identity. */
  readonly name: string
  readonly code: string
  readonly state: "waiting" | "in"
  readonly at: string
}

export class Pairings extends Context.Service<
  Pairings,
  {
    /** Numbers that were let in at a door. */
    readonly admitted: (door: DoorId) => ReadonlySet<string>
    /** A stranger's code; `in`: they were let in meanwhile; undefined: too many strangers, say nothing. */
    readonly knock: (
      door: DoorId,
      user: string,
      name: string,
    ) => Effect.Effect<{ readonly code: string } | "in" | undefined, StoreError>
    readonly list: Effect.Effect<ReadonlyArray<Pairing>, StoreError>
    /** Lets in whom the code was given to. */
    readonly approve: (code: string) => Effect.Effect<Pairing | undefined, StoreError>
    /** They are strangers again. False: they were. */
    readonly remove: (door: DoorId, user: string) => Effect.Effect<boolean, StoreError>
  }
>()("troupe/identity/Pairings") {
  static readonly layer = Layer.effect(
    Pairings,
    Effect.gen(function* () {
      const sql = yield* Sql
      const bus = yield* Bus
      const { ws } = yield* Roster
      let admitted = new Map<DoorId, Set<string>>()
      const reload = Effect.map(
        sql.cold<{ door: DoorId; user: string }>(
          `select door, external_user as "user" from pairing where approved_at is not null`,
          [],
        ),
        (rows) => {
          const next = new Map<DoorId, Set<string>>()
          for (const { door, user } of rows) next.set(door, (next.get(door) ?? new Set()).add(user))
          admitted = next
        },
      )
      yield* reload
      const services = yield* Effect.context<never>()
      yield* bus.listen(controlSubject(ws, "config"), () => {
        Effect.runForkWith(services)(
          Effect.catch(reload, (e) => Effect.logWarning(`could not read again who was let in: ${e.message}`)),
        )
      })
      const changed = Effect.andThen(
        reload,
        Effect.sync(() => bus.tell(controlSubject(ws, "config"), "")),
      )
      return Pairings.of({
        admitted: (door) => admitted.get(door) ?? nobody,
        knock: Effect.fnUntraced(function* (door, user, name) {
          const [row] = yield* sql.cold<{ code: string; in: boolean }>(knockText, [
            door,
            user,
            name,
            newCode(),
            mostWaiting,
            mostInAMinute,
          ])
          if (row?.in !== true) return row
          // The nudge was lost.
          yield* reload
          return "in" as const
        }),
        list: sql.cold<Pairing & object>(
          `select ${columns} from pairing p join door d on d.id = p.door
          where d.ws = $1 and (approved_at is not null or expires_at > now()) order by at desc limit 500`,
          [ws],
        ),
        approve: Effect.fnUntraced(function* (code) {
          const rows = yield* sql.cold<Pairing & object>(
            `update pairing p set approved_at = now() from door d
             where d.id = p.door and d.ws = $1 and p.code = $2 and p.approved_at is null and p.expires_at > now() returning ${columns}`,
            [ws, plain(code)],
          )
          if (rows.length > 0) yield* changed
          return rows[0]
        }),
        remove: Effect.fnUntraced(function* (door, user) {
          const rows = yield* sql.cold(
            "delete from pairing where door = $1 and external_user = $2 returning door",
            [door, user],
          )
          yield* changed
          return rows.length > 0
        }),
      })
    }),
  )
}

const nobody: ReadonlySet<string> = new Set()
const mostWaiting = 100
const mostInAMinute = 10
const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

/** 40 bits: whoever guesses lets in somebody who asked, and must be an owner to guess. */
const newCode = () =>
  Array.from({ length: 8 }, (_, i) => (i === 4 ? "-" : "") + letters[randomInt(letters.length)]).join("")
/** As it may be typed. */
const plain = (code: string) =>
  code
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, "")
    .replace(/^(.{4})(.+)$/, "$1-$2")

const columns = `p.door, d.name as "doorName", external_user as "user", p.name, code, case when approved_at is null then 'waiting' else 'in' end as state,
  to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`

/** The code that they have, or a new one where there is room. */
const knockText = `
with gone as (
  delete from pairing where approved_at is null and expires_at < now() and (door, external_user) <> ($1, $2)),
known as (
  select code, approved_at is not null as "in" from pairing
  where door = $1 and external_user = $2 and (approved_at is not null or expires_at > now())),
fresh as (
  insert into pairing (door, external_user, name, code, expires_at)
  select $1, $2, $3, $4, now() + interval '24 hours'
  where not exists (select from known)
    and (select count(*) from pairing where door = $1 and approved_at is null and expires_at > now()) < $5
    and (select count(*) from pairing where door = $1 and at > now() - interval '1 minute') < $6
  on conflict (door, external_user) do update set name = excluded.name, code = excluded.code, at = now(), expires_at = excluded.expires_at
  returning code, false as "in")
select * from known union all select * from fresh limit 1`
