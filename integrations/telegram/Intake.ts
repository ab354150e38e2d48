/**
 * From updates to committed deliveries, the same for both modes. `accept` returns when everything of the batch is
 * committed (P1); until then nobody may tell Telegram.
 *
 * Files are fetched before their message is accepted, so that the event is complete, but only for people who are heard,
 * up to 20 MB, and within 15 s; what does not come in time is a message whose attachment has no bytes.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Accepted, BlobId, Inbound, StoreError } from "../../runtime/index.ts"
import type { Normalized } from "./Normalize.ts"
import type { TelegramApi } from "./TelegramApi.ts"

export interface IntakeServices {
  /** Commits before it returns; one statement for the whole batch. Fails only while the store is away. */
  readonly accept: (batch: ReadonlyArray<Inbound>) => Effect.Effect<ReadonlyArray<Accepted>, StoreError>
  readonly storeBlob: (bytes: Uint8Array, mime: string, name: string) => Effect.Effect<BlobId, StoreError>
  /** A group became a supergroup: its room and its unsent words belong to the new id. Idempotent. */
  readonly migrated: (from: number, to: number) => Effect.Effect<void, StoreError>
}

export interface Intake {
  readonly accept: (batch: ReadonlyArray<Normalized>) => Effect.Effect<void, StoreError>
  readonly withFiles: (update: Normalized) => Effect.Effect<Normalized, StoreError>
}

const maxBytes = 20 * 1024 * 1024
const patience = "15 seconds"
const atOnce = 4

export const hasFiles = (update: Normalized): boolean => update.files.some((file) => file !== null)

export const makeIntake = (api: TelegramApi, services: IntakeServices): Intake => {
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

  const withFiles: Intake["withFiles"] = Effect.fnUntraced(function* (update) {
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

  const accept: Intake["accept"] = Effect.fnUntraced(function* (batch) {
    for (const { migrated } of batch)
      if (migrated !== null) yield* services.migrated(migrated.from, migrated.to)
    if (batch.length === 0) return
    yield* services.accept(batch.map(({ inbound }) => inbound))
  })

  return { accept, withFiles }
}
