/**
 * The agent actor: one ear. It hears every thread behind its doors by durable consumers, decides, and hands what is its own
 * to the conversation of that thread. It never waits for a model, a tool or another agent; work per message does not depend
 * on how many threads, agents or rows there are.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import {
  Actor,
  Bus,
  Journal,
  Roster,
  Subject,
  type AgentId,
  type DoorId,
  type MessageEvent,
  type ThreadId,
  type TurnId,
} from "../../runtime/index.ts"
import {
  conversation,
  leftTurns,
  queuedThreads,
  type Message as ToConversation,
  type Needs,
} from "../conversation/index.ts"
import { decide } from "./Decide.ts"

export type Message =
  | { readonly type: "heard"; readonly payload: string; readonly ack: () => void }
  /** The company changed: doors may have been joined or left. */
  | { readonly type: "company" }
  /** A turn was stopped by a committed statement. */
  | { readonly type: "stop"; readonly thread: ThreadId; readonly turn: TurnId }
  /** A turn that rested goes on, by a committed statement. */
  | { readonly type: "resume"; readonly thread: ThreadId; readonly turn: TurnId }
  /** Turns that were left running, and words that were left queued, are taken up. */
  | { readonly type: "adopt" }

interface State {
  readonly conversations: Map<ThreadId, Actor.Ref<ToConversation>>
  /** The consumers that are open. */
  readonly doors: Map<DoorId, Scope.Closeable>
}

type Ctx = Actor.Ctx<Message>

export const agent = (self: AgentId, fence: number): Actor.Behavior<State, Message, unknown, Needs> => ({
  init: (ctx) =>
    Effect.gen(function* () {
      const state: State = { conversations: new Map(), doors: new Map() }
      yield* attend(self, state, ctx)
      const roster = yield* Roster
      yield* Effect.acquireRelease(
        Effect.sync(() => roster.onChange(() => Actor.tell(ctx.self, { type: "company" }))),
        (stopListening) => Effect.sync(stopListening),
      )
      // Also after a crash of this actor: its conversations and their turns went with it.
      Actor.tellControl(ctx.self, { type: "adopt" })
      return state
    }),
  receive: (state, message, ctx) => {
    switch (message.type) {
      case "heard":
        return hear(self, fence, state, message, ctx)
      case "company":
        return Effect.as(attend(self, state, ctx), state)
      case "stop": {
        const ref = state.conversations.get(message.thread)
        if (ref !== undefined && Actor.tellControl(ref, { type: "stop", turn: message.turn }))
          return Effect.succeed(state)
        return Effect.as(toConversation(self, fence, state, message.thread, { type: "resume" }, ctx), state)
      }
      case "resume":
        return Effect.as(toConversation(self, fence, state, message.thread, { type: "resume" }, ctx), state)
      case "adopt":
        return adopt(self, fence, state, ctx).pipe(
          Effect.catchTag("StoreError", (error) =>
            Effect.logWarning(`taking up what was left, again: ${error.message}`).pipe(
              Effect.andThen(ctx.after("500 millis", message)),
            ),
          ),
          Effect.as(state),
        )
    }
  },
  supervise: () => Effect.succeed("restart"),
})

const hear = (
  self: AgentId,
  fence: number,
  state: State,
  { payload, ack }: Extract<Message, { type: "heard" }>,
  ctx: Ctx,
): Effect.Effect<State, unknown, Needs | Scope.Scope> =>
  Effect.flatMap(Effect.zip(Roster, Clock.currentTimeMillis), ([roster, now]) => {
    const event = messageOf(payload)
    if (event === undefined) {
      ack()
      return Effect.as(
        Effect.logError("what came over the bus is no message of ours, and is passed over"),
        state,
      )
    }
    const door = roster.now().doors.get(event.door)
    const verdict = door === undefined ? undefined : decide(event, self, door, now)
    if (verdict === undefined || verdict.verdict === "pass") {
      ack()
      return Effect.succeed(state)
    }
    if (verdict.verdict === "order")
      return Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.order(event)
        ack()
        return state
      }).pipe(
        // Not acknowledged: it comes again.
        Effect.catch((e) => Effect.as(Effect.logWarning(`an order waits: ${e.message}`), state)),
      )
    if (verdict.verdict === "edit" && !state.conversations.has(event.thread)) {
      ack()
      return Effect.succeed(state)
    }
    const { slot, reason, ranking } =
      verdict.verdict === "mine"
        ? verdict
        : { slot: self, reason: "an edit of words it works on", ranking: [] }
    return Effect.as(
      toConversation(
        self,
        fence,
        state,
        event.thread,
        { type: "word", word: { event, slot, reason, ranking, ack } },
        ctx,
      ),
      state,
    )
  })

/** Only the runtime publishes here; whatever else gets through must not come again for ever. */
const messageOf = (payload: string): MessageEvent | undefined =>
  Result.getOrUndefined(
    Result.filterOrFail(
      Result.try(() => JSON.parse(payload) as MessageEvent),
      (e) => typeof e?.thread === "string" && Array.isArray(e.slots),
      () => undefined,
    ),
  )

/** Tells the conversation of the thread, which is started when it is not there. A full one is told again by the bus. */
const toConversation = Effect.fnUntraced(function* (
  self: AgentId,
  fence: number,
  state: State,
  thread: ThreadId,
  message: ToConversation,
  ctx: Ctx,
) {
  const known = state.conversations.get(thread)
  if (known !== undefined && Actor.tell(known, message)) return
  // Its name is taken while it lives: then it is full.
  const ref = yield* ctx
    .spawn(thread, conversation({ agent: self, thread, fence }))
    .pipe(Effect.catchTag("SpawnRefused", () => Effect.succeed(undefined)))
  if (ref === undefined) return
  state.conversations.set(thread, ref)
  yield* Actor.stopped(ref).pipe(
    Effect.andThen(
      Effect.sync(() => {
        if (state.conversations.get(thread) === ref) state.conversations.delete(thread)
      }),
    ),
    Effect.forkScoped,
  )
  Actor.tell(ref, message)
})

/** One durable consumer per door, from when the agent joined it; leaving deletes it. */
const attend = Effect.fnUntraced(function* (self: AgentId, state: State, ctx: Ctx) {
  const roster = yield* Roster
  const bus = yield* Bus
  const { ws } = roster
  for (const door of roster.now().doors.values()) {
    const member = door.members.find((m) => m.agent.id === self)
    if (member === undefined || state.doors.has(door.id)) continue
    const scope = yield* Scope.fork(yield* Effect.scope)
    yield* bus
      .hear({
        durable: Subject.durableName(self, door.id),
        filter: Subject.wordsOf(ws, door.id),
        since: member.since,
        onMessage: ({ payload, ack }) => void Actor.tell(ctx.self, { type: "heard", payload, ack }),
      })
      .pipe(Effect.provideService(Scope.Scope, scope))
    state.doors.set(door.id, scope)
  }
  for (const [id, scope] of state.doors) {
    const still =
      roster
        .now()
        .doors.get(id)
        ?.members.some((m) => m.agent.id === self) === true
    if (still) continue
    yield* Scope.close(scope, Exit.void)
    yield* Effect.ignore(bus.leave(Subject.durableName(self, id)))
    state.doors.delete(id)
  }
})

const adopt = Effect.fnUntraced(function* (self: AgentId, fence: number, state: State, ctx: Ctx) {
  const threads = new Set<ThreadId>()
  for (const turn of yield* leftTurns(self)) threads.add(turn.thread)
  for (const { thread } of yield* queuedThreads(self)) threads.add(thread)
  for (const thread of threads) yield* toConversation(self, fence, state, thread, { type: "resume" }, ctx)
})
