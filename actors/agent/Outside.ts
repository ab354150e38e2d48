/**
 * The consumers of the company, under a lease: one durable per outside agent and door, from when it joined. Only the consumer is
 * ours: what is heard through it and what is said back is the program's affair. One whose agent left is deleted, an inside agent's
 * too, also when nobody was there to see it leave. A stream that was wiped has the outside agents' consumers again within half a
 * minute; what they missed is told again (P4).
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { Bus, isInside, Leases, Roster, Subject } from "../../runtime/index.ts"

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const roster = yield* Roster
    const leases = yield* Leases
    const bus = yield* Bus
    const { ws } = roster

    const members = () =>
      [...roster.now().doors.values()].flatMap((door) =>
        door.members.map(({ agent, since }) => ({
          agent,
          ear: {
            durable: Subject.durableName(agent.id, door.id),
            filter: Subject.wordsOf(ws, door.id),
            since,
          },
        })),
      )
    const keep = Effect.suspend(() =>
      Effect.forEach(
        members().filter((m) => !isInside(m.agent)),
        (m) => bus.keep(m.ear),
        { discard: true },
      ),
    )
    // A consumer that is taken from an agent which has just joined is made again by itself: what it heard is decided.
    const clear = Effect.gen(function* () {
      const there = yield* bus.durables
      const wanted = new Set(members().map((m) => m.ear.durable))
      yield* Effect.forEach(
        there.filter((durable) => !wanted.has(durable)),
        bus.leave,
        { discard: true },
      )
    })
    const warned = Effect.catch((e: { readonly message: string }) =>
      Effect.logWarning(`consumers of the company: ${e.message}`),
    )

    yield* leases.hold(`consumers:${ws}`, () =>
      Effect.gen(function* () {
        const changes = yield* Queue.sliding<void>(1)
        yield* Effect.acquireRelease(
          Effect.sync(() => roster.onChange(() => Queue.offerUnsafe(changes, undefined))),
          (stopListening) => Effect.sync(stopListening),
        )
        for (;;) {
          yield* warned(Effect.andThen(keep, clear))
          // Until somebody joins or leaves.
          let changed = false
          while (!changed) {
            const change = yield* Effect.timeoutOption(Queue.take(changes), "30 seconds")
            changed = change._tag === "Some"
            if (!changed) yield* warned(keep)
          }
        }
      }).pipe(Effect.scoped),
    )
  }),
)
