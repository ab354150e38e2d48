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

/** `control.stop`: the turn was marked by a committed statement (Journal.stop). */
const Stop = Schema.Struct({ agent: AgentId, thread: ThreadId, turn: TurnId })
const decodeStop = Schema.decodeUnknownOption(Schema.fromJsonString(Stop))

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

    yield* bus.listen(Subject.controlSubject(roster.ws, "stop"), (_, payload) => {
      const stop = Option.getOrUndefined(decodeStop(payload))
      const ref = stop === undefined ? undefined : refs.get(stop.agent)
      if (stop !== undefined && ref !== undefined)
        Actor.tellControl(ref, { type: "stop", thread: stop.thread, turn: stop.turn })
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
