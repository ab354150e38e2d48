/**
 * The ears of outside agents: under a lease, one durable consumer per outside agent and door, from when it joined; leaving deletes
 * it. Only the consumer is ours: what is heard through it and what is said back is the program's affair. A stream that was
 * wiped has its consumers again within half a minute; what they missed is told again (P4).
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

    const ears = () =>
      [...roster.now().doors.values()].flatMap((door) =>
        door.members
          .filter((m) => !isInside(m.agent))
          .map((m) => ({
            durable: Subject.durableName(m.agent.id, door.id),
            filter: Subject.wordsOf(ws, door.id),
            since: m.since,
          })),
      )

    yield* leases.hold(`outside:${ws}`, () =>
      Effect.gen(function* () {
        const kept = new Set<string>()
        const changes = yield* Queue.sliding<void>(1)
        yield* Effect.acquireRelease(
          Effect.sync(() => roster.onChange(() => Queue.offerUnsafe(changes, undefined))),
          (stopListening) => Effect.sync(stopListening),
        )
        const attend = Effect.gen(function* () {
          const wanted = ears()
          for (const ear of wanted) {
            yield* bus.keep(ear)
            kept.add(ear.durable)
          }
          for (const durable of kept) {
            if (wanted.some((ear) => ear.durable === durable)) continue
            yield* bus.leave(durable)
            kept.delete(durable)
          }
        })
        yield* attend.pipe(
          Effect.catch((e) => Effect.logWarning(`consumers of outside agents: ${e.message}`)),
          Effect.andThen(Effect.timeoutOption(Queue.take(changes), "30 seconds")),
          Effect.forever,
        )
      }).pipe(Effect.scoped),
    )
  }),
)
