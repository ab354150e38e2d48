/**
 * P9: who owns what. Every single thing (an agent, a door, the relay, the janitor) is a row of `lease`, owned by a process
 * that is alive: it holds a session advisory lock and beats its row every two seconds. A dead owner's lease is taken over with a
 * higher fence; the same statement raises the fence of its running turns and open outbox rows, so that the old owner,
 * should it wake again, writes nothing.
 *
 * A process counts as dead when its beat is ten seconds old (paused), five seconds when its lock is free too (gone), or at
 * once when it ran on this host and its pid is gone (a restart after kill -9 does not wait). It believes itself that it owns
 * anything only for eight seconds after a beat, by a clock that goes on while it is paused: when it wakes, it owns nothing
 * until the next beat says so.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { kill, pid } from "node:process"
import { newId, type ProcessId } from "../room/Id.ts"
import { connect, Sql } from "../store/Sql.ts"
import { fromPostgres, type StoreError } from "../store/StoreError.ts"

export interface Held {
  readonly name: string
  readonly fence: number
}

interface Claim {
  readonly name: string
  readonly gained: (held: Held) => void
  readonly lost: () => void
  held: Held | undefined
}

export class Leases extends Context.Service<
  Leases,
  {
    readonly process: ProcessId
    /**
     * Runs `body` whenever this process owns `name`, in a scope that closes when the lease is lost. Waits while another
     * live process owns it. Returns at once; the claim ends with the surrounding scope.
     */
    readonly hold: <E, R>(
      name: string,
      body: (held: Held) => Effect.Effect<unknown, E, R>,
    ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
    /** Owns `name` now. Ask right before doing what nobody else may do at the same time. */
    readonly holds: (name: string) => boolean
    /** Undefined when it is not owned now. */
    readonly fence: (name: string) => number | undefined
  }
>()("troupe/lease/Leases") {
  /** `wants` limits what this process takes (several processes may share the work). */
  static readonly layer = (
    url: Redacted.Redacted,
    wants: (name: string) => boolean = () => true,
  ): Layer.Layer<Leases, StoreError, Sql> => Layer.effect(Leases, make(url, wants))
}

const make = Effect.fnUntraced(function* (url: Redacted.Redacted, wants: (name: string) => boolean) {
  const sql = yield* Sql
  const id = newId<ProcessId>(yield* Clock.currentTimeMillis)
  const lockKey = randomBytes(6).readUIntBE(0, 6)
  const claims = new Map<string, Claim>()
  const clock = yield* Clock.Clock
  let beatAt = clock.monotonicTimeNanosUnsafe()
  const believed = () => clock.monotonicTimeNanosUnsafe() - beatAt < belief
  const one = Semaphore.makeUnsafe(1)

  // The lock lives on a session of its own: Postgres frees it the moment this process is gone.
  const session = yield* connect(url, 1)
  /** Beats, holds the lock (again, after Postgres was away), and answers what this process owns. */
  const beat = Effect.suspend(() => {
    const at = clock.monotonicTimeNanosUnsafe()
    return Effect.tryPromise({
      try: () =>
        session.unsafe<Array<{ owned: ReadonlyArray<Held> }>>(beatText, [id, lockKey, hostname(), pid], {
          prepare: true,
        }),
      catch: fromPostgres,
    }).pipe(
      Effect.map(([row]) => {
        beatAt = at
        return row!.owned
      }),
    )
  })
  yield* beat

  const dead = Effect.map(
    sql.cold<{ id: string; host: string; pid: number; gone: boolean }>(deadText, [id]),
    (rows) => rows.filter((r) => r.gone || (r.host === hostname() && !alive(r.pid))).map((r) => r.id),
  )

  /**
   * Beats, learns what was lost, takes what is free. One at a time: what a beat has read must not be judged by what another
   * round has taken since.
   */
  const round = one.withPermit(
    Effect.gen(function* () {
      const owned = new Map((yield* beat).map((r) => [r.name, r.fence]))
      const open = [...claims.values()].filter((c) => wants(c.name))
      const waiting = open.filter((c) => c.held === undefined)
      for (const claim of open) {
        if (claim.held !== undefined && owned.get(claim.name) !== claim.held.fence) {
          claim.held = undefined
          claim.lost()
        }
      }
      if (waiting.length === 0) return
      const gone = yield* dead
      const taken = yield* sql.cold<{ name: string; fence: number }>(takeText, [
        id,
        waiting.map((c) => c.name),
        gone,
      ])
      for (const row of taken) {
        const claim = claims.get(row.name)
        if (claim === undefined || claim.held !== undefined) continue
        claim.held = { name: row.name, fence: row.fence }
        claim.gained(claim.held)
      }
    }),
  )
  yield* round.pipe(
    Effect.catch((e) => Effect.logWarning(`leases: ${e.message}`)),
    Effect.delay("2 seconds"),
    Effect.forever,
    Effect.forkScoped,
  )
  yield* Effect.addFinalizer(() => Effect.ignore(sql.cold(leaveText, [id])))

  // Claims made in the same turn of the event loop are taken in one statement.
  let gathering: Deferred.Deferred<void> | undefined
  const takeSoon = Effect.gen(function* () {
    if (gathering !== undefined) return yield* Deferred.await(gathering)
    const done = (gathering = Deferred.makeUnsafe<void>())
    yield* Effect.yieldNow
    gathering = undefined
    yield* round.pipe(Effect.catch((e) => Effect.logWarning(`leases: ${e.message}`)))
    yield* Deferred.succeed(done, undefined)
  })

  const hold = <E, R>(name: string, body: (held: Held) => Effect.Effect<unknown, E, R>) =>
    Effect.gen(function* () {
      let gained = Deferred.makeUnsafe<Held>()
      let lost = Deferred.makeUnsafe<void>()
      const claim: Claim = {
        name,
        held: undefined,
        gained: (held) => Deferred.doneUnsafe(gained, Effect.succeed(held)),
        lost: () => Deferred.doneUnsafe(lost, Effect.void),
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => claims.set(name, claim)),
        () => Effect.sync(() => claims.delete(name)),
      )
      const once = Effect.gen(function* () {
        const held = yield* Deferred.await(gained)
        yield* Effect.scoped(Effect.andThen(body(held), Effect.never)).pipe(
          Effect.raceFirst(Deferred.await(lost)),
          Effect.catchCause((cause) => Effect.logError(`${name} failed`, cause)),
        )
        gained = Deferred.makeUnsafe<Held>()
        lost = Deferred.makeUnsafe<void>()
        if (claim.held !== undefined) claim.gained(claim.held)
        yield* Effect.sleep("200 millis")
      })
      yield* Effect.forever(once).pipe(Effect.forkScoped({ startImmediately: true }))
      yield* takeSoon
    })

  return Leases.of({
    process: id,
    hold: hold as Leases["Service"]["hold"],
    holds: (name) => believed() && claims.get(name)?.held !== undefined,
    fence: (name) => (believed() ? claims.get(name)?.held?.fence : undefined),
  })
})

/** Two seconds less than it takes until others may take over. */
const belief = 8_000_000_000n

const deadText = `
select p.id, p.host, p.pid, p.beat_at < now() - interval '10 seconds' or (p.beat_at < now() - interval '5 seconds' and not exists (
  select from pg_locks l where l.locktype = 'advisory' and l.objsubid = 1
    and ((l.classid::bigint << 32) | l.objid::bigint) = p.lock_key)) as gone
from process p where p.id <> $1`

const beatText = `
with beat as (
  insert into process (id, lock_key, host, pid) values ($1, $2::bigint, $3, $4::int)
  on conflict (id) do update set beat_at = now())
select pg_try_advisory_lock($2::bigint) as locked,
  (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'fence', fence)), '[]') from lease where process = $1) as owned`

const takeText = `
with mine as (
  insert into lease (name, process, fence) select n, $1::text, 1 from unnest($2::text[]) n order by n
  on conflict (name) do update set process = excluded.process, fence = lease.fence + 1
    where lease.process is null or lease.process = $1 or lease.process = any ($3::text[])
      or not exists (select from process p where p.id = lease.process)
  returning name, fence),
turns as (
  update turn t set fence = m.fence, attempts = t.attempts + 1 from mine m
  where m.name = 'agent:' || t.agent and t.state in ('running', 'waiting')),
words as (
  update outbox o set fence = m.fence from mine m
  where m.name = 'door:' || o.door and o.state in ('creating', 'created')),
gone as (delete from process where id = any ($3::text[]))
select name, fence::float8 as fence from mine`

const leaveText = `
with free as (update lease set process = null where process = $1)
delete from process where id = $1`

/** A pid of this host that no longer runs. Our own pid under another process id is a leftover of a container's last life. */
const alive = (other: number) => {
  if (other === pid) return false
  try {
    kill(other, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
