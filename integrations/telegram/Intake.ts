/**
 * From updates to committed deliveries, the same for both modes. `accept` returns when everything of the batch is
 * committed (P1); until then nobody may tell Telegram.
 *
 * Files are fetched before their message is accepted, so that the event is complete, but only for people who are heard,
 * up to 20 MB, and within 15 s; what does not come in time is a message whose attachment has no bytes.
 *
 * A press is answered beside the path, after its commit: what came of it is shown to the presser.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import type { Accepted, BlobId, DoorId, Inbound, StoreError } from "../../runtime/index.ts"
import { makeAlbums, waiting } from "./Albums.ts"
import type { Normalized } from "./Normalized.ts"
import { makeReception, sentence, type ReceptionServices } from "./Reception.ts"
import type { TelegramApi } from "./TelegramApi.ts"

export interface IntakeServices extends ReceptionServices {
  /** Commits before it returns; one statement for the whole batch. Fails only while the store is away. */
  readonly accept: (batch: ReadonlyArray<Inbound>) => Effect.Effect<ReadonlyArray<Accepted>, StoreError>
  /** Deliveries that were committed as `waiting` and have no `<external id>/done`, oldest first. */
  readonly waiting: Effect.Effect<
    ReadonlyArray<{ readonly externalId: string; readonly raw: unknown }>,
    StoreError
  >
  readonly storeBlob: (bytes: Uint8Array, mime: string, name: string) => Effect.Effect<BlobId, StoreError>
  /** A group became a supergroup: its room and its unsent words belong to the new id. Idempotent. */
  readonly migrated: (from: number, to: number) => Effect.Effect<void, StoreError>
}

export interface Intake {
  readonly accept: (batch: ReadonlyArray<Normalized>) => Effect.Effect<void, StoreError>
  /** Whether `prepare` has to do something. */
  readonly unprepared: (update: Normalized) => boolean
  /** What comes before an update can be accepted: the album before it, the bytes of its files. */
  readonly prepare: (update: Normalized) => Effect.Effect<Normalized, StoreError>
  /** Goes on with what was waiting when the last process ended. */
  readonly resume: (normalize: (update: unknown) => Normalized | undefined) => Effect.Effect<void, StoreError>
}

const maxBytes = 20 * 1024 * 1024
const patience = "15 seconds"
const atOnce = 4

export interface IntakeOptions {
  readonly door: DoorId
  readonly services: IntakeServices
  /** What becomes of groups that strangers take the bot into. */
  readonly joins: "leave" | "ignore"
  /** Reads an update again, of somebody who was let in meanwhile. */
  readonly readmit: (update: unknown) => Normalized | undefined
}

/** Telegram shows no more. */
const maxToast = 200

export const makeIntake = Effect.fnUntraced(function* (
  api: TelegramApi,
  { door, services, joins, readmit }: IntakeOptions,
): Effect.fn.Return<Intake, never, Scope.Scope> {
  const beside = yield* FiberSet.makeRuntime<never>()
  const reception = makeReception(door, services, readmit)
  const slots = Semaphore.makeUnsafe(atOnce)

  const fetched = (file: string) =>
    api.download(file, maxBytes).pipe(
      Effect.timeout(patience),
      Effect.catch((error) => Effect.as(Effect.logWarning(`A file was not fetched: ${error.message}`), null)),
    )
  const stored = (bytes: Uint8Array, mime: string, name: string) =>
    Effect.catchIf(
      services.storeBlob(bytes, mime, name),
      (error) => error.kind === "refused",
      (error) => Effect.as(Effect.logError(`A file could not be stored: ${error.message}`), null),
    )

  const withFiles = Effect.fnUntraced(function* (update: Normalized) {
    const message = update.inbound.message
    if (message === undefined) return update
    const attachments = yield* Effect.forEach(
      message.attachments,
      Effect.fnUntraced(function* (attachment, index) {
        const file = update.files[index] ?? null
        if (file === null || attachment.size > maxBytes) return attachment
        const bytes = yield* fetched(file)
        if (bytes === null) return attachment
        const blob = yield* stored(bytes, attachment.mime, attachment.name)
        return { ...attachment, blob, size: bytes.length }
      }, slots.withPermits(1)),
      { concurrency: "unbounded" },
    )
    return { ...update, inbound: { ...update.inbound, message: { ...message, attachments } } }
  })
  const albums = yield* makeAlbums({ withFiles, accept: services.accept })

  const accept: Intake["accept"] = Effect.fnUntraced(function* (batch) {
    for (const { migrated } of batch)
      if (migrated !== null) yield* services.migrated(migrated.from, migrated.to)
    if (batch.length === 0) return
    const accepted = yield* services.accept(
      batch.map((update) => (update.album === null ? update.inbound : waiting(update))),
    )
    for (const [i, update] of batch.entries())
      if (update.album !== null && accepted[i]?.duplicate === false) albums.add(update)
    for (const [i, update] of batch.entries()) {
      const { press, chat } = update
      if (press !== null) beside(toast(press.id, press.toast ?? told(accepted[i])))
      else beside(reception.accepted(update, accepted[i]))
      if (update.joined && joins === "leave") beside(leave(chat))
    }
  })

  /** Best effort: after a while Telegram takes no answer any more, and the buttons tell it too. */
  const toast = (id: string, text: string) =>
    api
      .call("answerCallbackQuery", { callback_query_id: id, text: text.slice(0, maxToast).toWellFormed() })
      .pipe(Effect.catch((error) => Effect.logDebug(`A press was not answered: ${error.message}`)))

  const leave = (chat: number) =>
    api.call("leaveChat", { chat_id: chat }).pipe(
      Effect.retry({
        schedule: Schedule.exponential("1 second"),
        times: 5,
        while: ({ code }) => code !== 400 && code !== 403,
      }),
      Effect.andThen(Effect.logInfo(`A stranger took the bot into chat ${chat}; it left.`)),
      Effect.catch((error) => Effect.logWarning(`The bot could not leave chat ${chat}: ${error.message}`)),
    )

  return {
    accept,
    unprepared: (update) =>
      update.album === null &&
      (update.files.length > 0 || reception.concerns(update) || albums.isOpen(update.chat)),
    prepare: (update) =>
      update.album === null
        ? albums.close(update.chat).pipe(Effect.andThen(reception.receive(update)), Effect.flatMap(withFiles))
        : Effect.succeed(update),
    resume: (normalize) =>
      Effect.map(services.waiting, (rows) => {
        for (const { raw } of rows) {
          const { waiting: _, ...given } = raw as Readonly<Record<string, unknown>>
          const update = normalize(given)
          if (update !== undefined && update.album !== null) albums.add(update)
        }
      }),
  }
})

/** What came of an order, for whoever gave it. */
const told = (accepted: Accepted | undefined): string => {
  const { outcome } = accepted ?? {}
  if (outcome !== undefined) return sentence(outcome)
  return accepted?.duplicate === true ? "" : "It will be done in a moment."
}
