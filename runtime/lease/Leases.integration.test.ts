import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { testDatabase } from "../../infra/testing/index.ts"
import { migrate } from "../store/Migrations.ts"
import { Sql } from "../store/Sql.ts"
import { Leases, type Held } from "./Leases.ts"

const company = async () => {
  const url = Redacted.make(await testDatabase())
  const store = Layer.effectDiscard(migrate(url)).pipe(Layer.provideMerge(Sql.layer(url)))
  await ManagedRuntime.make(store).runPromise(Effect.void)
  return () => ManagedRuntime.make(Leases.layer(url).pipe(Layer.provideMerge(store)))
}
type Runtime = Awaited<ReturnType<Awaited<ReturnType<typeof company>>>>

/** Claims a name for as long as the runtime lives; what it was given, and when it lost it. */
const claim = (runtime: Runtime, name: string) => {
  const gained = Deferred.makeUnsafe<Held>()
  const lost = Deferred.makeUnsafe<void>()
  void runtime
    .runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const leases = yield* Leases
          yield* leases.hold(name, (held) =>
            Effect.andThen(
              Deferred.succeed(gained, held),
              Effect.addFinalizer(() => Deferred.succeed(lost, undefined)),
            ),
          )
          yield* Effect.never
        }),
      ),
    )
    .catch(() => {})
  return {
    gained: Effect.runPromise(Deferred.await(gained)),
    lost: Effect.runPromise(Deferred.await(lost)),
    isGained: () => Deferred.isDoneUnsafe(gained),
  }
}
const query = (runtime: Runtime, text: string, params: ReadonlyArray<unknown> = []) =>
  runtime.runPromise(Effect.flatMap(Sql, (sql) => sql.cold(text, params)))

describe("leases (P9)", () => {
  it("one process owns a name, the next waits until the first leaves, and the fence has risen", async () => {
    const start = await company()
    const a = start()
    const b = start()
    const first = await claim(a, "agent:ada").gained
    const second = claim(b, "agent:ada")
    await b.runPromise(Effect.void)
    expect(await query(b, "select count(*)::int as n from process")).toEqual([{ n: 2 }])
    expect(second.isGained()).toBe(false)
    await a.dispose()
    const held = await second.gained
    expect(held.fence).toBeGreaterThan(first.fence)
    await b.dispose()
  })

  it("claims that are made beside each other are all held, and stay held", async () => {
    const start = await company()
    const runtime = start()
    const names = Array.from({ length: 300 }, (_, n) => `agent:${n}`)
    let gained = 0
    let lost = 0
    const held = await runtime.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const leases = yield* Leases
          yield* Effect.forEach(
            names,
            (name, n) =>
              Effect.andThen(
                Effect.sleep(n / 3),
                leases.hold(name, () =>
                  Effect.andThen(
                    Effect.sync(() => gained++),
                    Effect.addFinalizer(() => Effect.sync(() => lost++)),
                  ),
                ),
              ),
            { concurrency: "unbounded", discard: true },
          )
          return { held: names.filter(leases.holds).length, gained, lost }
        }),
      ),
    )
    expect(held).toEqual({ held: 300, gained: 300, lost: 0 })
    await runtime.dispose()
  })

  it("takes again what it owns without knowing, as when the answer that gave it was lost", async () => {
    const start = await company()
    const runtime = start()
    const { process } = await runtime.runPromise(Leases)
    await query(runtime, "insert into lease (name, process, fence) values ('agent:ada', $1, 4)", [process])
    expect(await claim(runtime, "agent:ada").gained).toEqual({ name: "agent:ada", fence: 5 })
    await runtime.dispose()
  })

  it("a process that stopped beating loses its leases, its turns and its outbox to the next", async () => {
    const start = await company()
    const a = start()
    const claimed = claim(a, "agent:ada")
    const first = await claimed.gained
    await query(
      a,
      `insert into turn (id, ws, event, slot, agent, thread, door, fence, principal, root, hop, segment, state)
       values ('u1', 'w', 'e1', 'ada', 'ada', 't1', 'd', $1, 'p', 'e1', 0, 1, 'running')`,
      [first.fence],
    )
    // As if it had been paused: its last beat was long ago, and no other comes.
    await query(a, "update process set beat_at = now() - interval '1 minute', host = 'elsewhere'")
    await query(a, "create function unheard() returns trigger language plpgsql as 'begin return null; end'")
    await query(
      a,
      "create trigger paused before update on process for each row when (old.host = 'elsewhere') execute function unheard()",
    )
    const b = start()
    const held = await claim(b, "agent:ada").gained
    expect(held.fence).toBe(first.fence + 1)
    expect(await query(b, "select fence::int, attempts from turn where id = 'u1'")).toEqual([
      { fence: held.fence, attempts: 1 },
    ])
    // The old owner learns it and lets go.
    await claimed.lost
    await Promise.all([a.dispose(), b.dispose()])
  })

  it("a process of this host whose pid is gone is dead at once", async () => {
    const start = await company()
    const a = start()
    await query(
      a,
      "insert into process (id, lock_key, host, pid) select 'dead', 1, host, 99999999 from process limit 1",
    )
    await query(a, "insert into lease (name, process, fence) values ('relay:w', 'dead', 7)")
    const held = await claim(a, "relay:w").gained
    expect(held.fence).toBe(8)
    expect(await query(a, "select id from process where id = 'dead'")).toEqual([])
    await a.dispose()
  })

  it("a clean stop leaves no process and no owner behind", async () => {
    const start = await company()
    const a = start()
    await claim(a, "door:d").gained
    const b = start()
    await b.runPromise(Effect.void)
    await a.dispose()
    expect(await query(b, "select process from lease")).toEqual([{ process: null }])
    expect(await query(b, "select count(*)::int as n from process")).toEqual([{ n: 1 }])
    await b.dispose()
  })
})
