/**
 * Who changed what, in Postgres: each entry carries the hash of the one before it and of itself, and the table refuses changes.
 * `broken` names the first entry that does not follow from those before it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Roster, Sql, type StoreError } from "../../runtime/index.ts"
import type { AuditEntry } from "../api/index.ts"

export interface Deed {
  readonly who: AuditEntry["who"]
  /** `people.add`: the endpoint. */
  readonly action: string
  /** What it was done to: the parts of the path. */
  readonly subject: Readonly<Record<string, unknown>>
  readonly detail: unknown
}

export class Audit extends Context.Service<
  Audit,
  {
    readonly record: (deed: Deed) => Effect.Effect<void, StoreError>
    /** The latest entries before `before`, newest first. */
    readonly read: (before: number, limit: number) => Effect.Effect<ReadonlyArray<AuditEntry>, StoreError>
    readonly broken: Effect.Effect<number | null, StoreError>
  }
>()("troupe/admin/Audit") {
  static readonly layer = Layer.effect(
    Audit,
    Effect.gen(function* () {
      const sql = yield* Sql
      const { ws } = yield* Roster
      return Audit.of({
        record: ({ who, action, subject, detail }) =>
          sql.cold(recordText, [ws, who, action, subject, detail ?? null]).pipe(
            // Two at once are given the same number; the second tries again.
            Effect.retry({
              while: (e) => e.kind === "refused",
              schedule: Schedule.spaced("5 millis"),
              times: 20,
            }),
            Effect.asVoid,
          ),
        read: (before, limit) => sql.cold<AuditEntry>(readText, [ws, before, limit]),
        broken: Effect.map(sql.cold<{ n: number }>(brokenText, [ws]), (rows) => rows[0]?.n ?? null),
      })
    }),
  )

  /** For tests that need no database. */
  static readonly layerMemory = Layer.sync(Audit, () => {
    const entries: Array<AuditEntry> = []
    return Audit.of({
      record: (deed) =>
        Effect.sync(
          () => void entries.unshift({ n: entries.length + 1, at: "1970-01-01T00:00:00.000Z", ...deed }),
        ),
      read: (before, limit) => Effect.sync(() => entries.filter(({ n }) => n < before).slice(0, limit)),
      broken: Effect.succeed(null),
    })
  })
}

/** What the hash of an entry is of: the hash before it, and everything in it. */
const hashed = (prev: string, at: string) =>
  `encode(sha256(convert_to(${prev} || '|' || x.ws || '|' || x.n || '|' || ${at} || '|' || x.who::text || '|' || x.action || '|' || x.subject::text || '|' || coalesce(x.detail::text, ''), 'UTF8')), 'hex')`
const atText = `to_char(x.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`

const recordText = `
with last as (select n, hash from audit where ws = $1 order by n desc limit 1),
x as (
  select $1::text as ws, coalesce((select n from last), 0) + 1 as n, now() as at, $2::jsonb as who, $3::text as action,
    $4::jsonb as subject, $5::jsonb as detail)
insert into audit (ws, n, at, who, action, subject, detail, hash)
select x.ws, x.n, x.at, x.who, x.action, x.subject, x.detail, ${hashed("coalesce((select hash from last), '')", atText)} from x`

const readText = `
select n, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, who, action, subject, detail
from audit where ws = $1 and n < $2 order by n desc limit $3`

const brokenText = `
select x.n from (
  select a.*, coalesce(lag(a.hash) over (order by a.n), '') as before, row_number() over (order by a.n) as place
  from audit a where a.ws = $1) x
where x.n <> x.place or x.hash <> ${hashed("x.before", atText)} order by x.n limit 1`
