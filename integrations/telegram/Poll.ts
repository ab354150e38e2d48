/**
 * The poll loop. The offset of the next `getUpdates` confirms what is below it, so it never passes an update that is
 * not committed (P1).
 *
 * Invariants: the whole batch is one `accept`; a message with files, or behind an album, waits, and with it the later
 * messages of its chat, while all other chats go on (then the loop asks in short intervals instead of waiting on
 * the line); after an answer without updates the offset is left out, because Telegram may begin a new, lower
 * sequence of ids after a week of silence.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { StoreError } from "../../runtime/index.ts"
import type { Intake } from "./Intake.ts"
import type { Normalized } from "./Normalized.ts"
import type { TelegramApi } from "./TelegramApi.ts"
import type { TelegramError } from "./TelegramError.ts"

export interface PollOptions {
  readonly api: TelegramApi
  readonly intake: Intake
  readonly normalize: (update: unknown) => Normalized | undefined
  /** How long Telegram holds an empty answer. */
  readonly seconds: number
  /** Something went well. */
  readonly healthy: Effect.Effect<void>
  /** Told of each failure in a row, from 1; returns when it is time to try again. */
  readonly unhealthy: (error: TelegramError | StoreError, failures: number) => Effect.Effect<void>
}

export const updateKinds = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "my_chat_member",
] as const
const whileHeld = "150 millis"

export const poll = (options: PollOptions): Effect.Effect<never, never, Scope.Scope> => {
  const { api, intake } = options
  /** Received and being worked on. */
  const open = new Set<number>()
  /** Received and not committed: Telegram must send them again. */
  const again = new Set<number>()
  /** Committed, but above one that is open, so that Telegram sends them again. */
  const done = new Set<number>()
  /** Chats that wait for the bytes of a file, with their messages in order. */
  const lanes = new Map<number, Array<Normalized>>()
  let next: number | undefined
  let laneFailure: StoreError | undefined
  let freed = Deferred.makeUnsafe<void>()

  const committed = (updates: ReadonlyArray<Normalized>) => {
    for (const { updateId } of updates) {
      open.delete(updateId)
      again.delete(updateId)
      done.add(updateId)
    }
    if (open.size === 0 && again.size === 0) done.clear()
  }
  const failed = (updates: ReadonlyArray<Normalized>) => {
    for (const { updateId } of updates) {
      open.delete(updateId)
      again.add(updateId)
    }
  }
  const commit = (updates: ReadonlyArray<Normalized>) =>
    intake.accept(updates).pipe(
      Effect.tap(() => Effect.sync(() => committed(updates))),
      Effect.tapError(() => Effect.sync(() => failed(updates))),
    )

  const drain = Effect.fnUntraced(
    function* (chat: number, lane: Array<Normalized>) {
      for (let update = lane[0]; update !== undefined; update = lane[0]) {
        yield* intake.accept([yield* intake.prepare(update)])
        committed([update])
        lane.shift()
      }
      lanes.delete(chat)
    },
    (effect, chat, lane) =>
      Effect.catch(effect, (error) =>
        Effect.sync(() => {
          lanes.delete(chat)
          failed(lane)
          laneFailure = error
        }),
      ),
    Effect.ensuring(Effect.suspend(() => Deferred.succeed(freed, undefined))),
  )

  const receive = Effect.fnUntraced(function* (updates: ReadonlyArray<Normalized>) {
    const quick: Array<Normalized> = []
    const opened: Array<readonly [number, Array<Normalized>]> = []
    /** Chats with an album among the quick ones. */
    const albums = new Set<number>()
    for (const update of updates) {
      if (open.has(update.updateId) || done.has(update.updateId)) continue
      open.add(update.updateId)
      const lane = lanes.get(update.chat)
      if (lane !== undefined) lane.push(update)
      else if (!intake.unprepared(update) && (update.album !== null || !albums.has(update.chat))) {
        quick.push(update)
        if (update.album !== null) albums.add(update.chat)
      } else {
        const fresh = [update]
        lanes.set(update.chat, fresh)
        opened.push([update.chat, fresh])
      }
    }
    const drained = Effect.forEach(opened, ([chat, lane]) => Effect.forkScoped(drain(chat, lane)))
    yield* Effect.ensuring(quick.length > 0 ? commit(quick) : Effect.void, drained)
  })

  const step = Effect.gen(function* () {
    const lowest = Math.min(...open, ...again)
    const offset = lowest === Infinity ? next : lowest
    const updates = yield* api.call("getUpdates", {
      timeout: lowest === Infinity ? options.seconds : 0,
      allowed_updates: updateKinds,
      ...(offset === undefined ? {} : { offset }),
    })
    freed = Deferred.makeUnsafe<void>()
    yield* receive(updates.flatMap((update) => options.normalize(update) ?? []))
    const highest = Math.max(...updates.map(({ update_id: id }) => id))
    if (updates.length > 0) next = highest + 1
    else if (open.size === 0 && again.size === 0) next = undefined
    if (laneFailure !== undefined) {
      const error = laneFailure
      laneFailure = undefined
      return yield* error
    }
    yield* options.healthy
    if (lanes.size > 0) yield* Effect.raceFirst(Deferred.await(freed), Effect.sleep(whileHeld))
  })

  let failures = 0
  return step.pipe(
    Effect.tap(() => Effect.sync(() => (failures = 0))),
    Effect.catch((error) => options.unhealthy(error, ++failures)),
    // A bug here must not leave a door that looks connected and is deaf.
    Effect.catchDefect((defect) =>
      Effect.andThen(Effect.logError("The poll loop failed and goes on.", defect), Effect.sleep("1 second")),
    ),
    Effect.forever,
  )
}
