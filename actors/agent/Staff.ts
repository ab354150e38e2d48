/**
 * Runs an agent actor for every agent of the company whose lease this process holds (P9): spawned when the lease is gained,
 * awaited stop when it is lost or the agent leaves the company. A new owner takes up what was left, and has the agent's due
 * words told again at once.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import {
  Actor,
  Bus,
  isInside,
  Leases,
  Roster,
  Subject,
  AgentId,
  ThreadId,
  TurnId,
} from "../../runtime/index.ts"
import { repairDue } from "../janitor/Repair.ts"
import { agent, type Message } from "./Agent.ts"

/** `control.stop` and `control.resume`: the turn was changed by a committed statement (Journal.stop, Journal.order). */
const Touched = Schema.Struct({ agent: AgentId, thread: ThreadId, turn: TurnId })
const decodeTouched = Schema.decodeUnknownOption(Schema.fromJsonString(Touched))

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const roster = yield* Roster
    const leases = yield* Leases
    const system = yield* Actor.ActorSystem
    const bus = yield* Bus
    const refs = new Map<AgentId, Actor.Ref<Message>>()
    const employed = new Map<AgentId, Scope.Closeable>()

    const work = (id: AgentId, fence: number) =>
      Effect.gen(function* () {
        const ref = yield* Effect.acquireRelease(system.spawn(`agent.${id}`, agent(id, fence)), (r) =>
          Actor.stop(r),
        )
        refs.set(id, ref)
        yield* Effect.addFinalizer(() => Effect.sync(() => refs.delete(id)))
        yield* repairDue(id).pipe(Effect.retry(Schedule.spaced("1 second")), Effect.forkScoped)
        // Its restarts did not help: a new one starts after a while, so that no agent stays deaf.
        yield* Actor.stopped(ref)
        yield* Effect.logError(`the agent ${id} has stopped; it is started again`)
        yield* Effect.sleep("5 seconds")
      }).pipe(Effect.scoped, Effect.forever)

    const staff = Effect.gen(function* () {
      const agents = new Set([...roster.now().agents.values()].filter(isInside).map((a) => a.id))
      for (const id of agents) {
        if (employed.has(id)) continue
        const scope = yield* Scope.fork(yield* Effect.scope)
        employed.set(id, scope)
        yield* leases
          .hold(`agent:${id}`, (held) => work(id, held.fence))
          .pipe(Effect.provideService(Scope.Scope, scope))
      }
      for (const [id, scope] of employed) {
        if (agents.has(id)) continue
        employed.delete(id)
        yield* Scope.close(scope, Exit.void)
      }
    })

    for (const type of ["stop", "resume"] as const)
      yield* bus.listen(Subject.controlSubject(roster.ws, type), (_, payload) => {
        const touched = Option.getOrUndefined(decodeTouched(payload))
        const ref = touched === undefined ? undefined : refs.get(touched.agent)
        if (touched !== undefined && ref !== undefined)
          Actor.tellControl(ref, { type, thread: touched.thread, turn: touched.turn })
      })
    const changes = yield* Queue.sliding<void>(1)
    yield* Effect.acquireRelease(
      Effect.sync(() => roster.onChange(() => Queue.offerUnsafe(changes, undefined))),
      (stopListening) => Effect.sync(stopListening),
    )
    yield* staff
    yield* Queue.take(changes).pipe(Effect.andThen(staff), Effect.forever, Effect.forkScoped)
  }),
)
