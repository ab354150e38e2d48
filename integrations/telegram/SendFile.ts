/**
 * A file in the place of a message that stands there already: an edit, so it may be repeated (P8). What Telegram does not take as a
 * photo is a document; what it does not take at all is said in words.
 */
import * as Effect from "effect/Effect"
import { InputFile } from "grammy/web"
import type { BlobId, Say, StoreError } from "../../runtime/index.ts"
import type { TelegramApi } from "./TelegramApi.ts"
import type { TelegramError } from "./TelegramError.ts"
import type { Formatted } from "./Writer.ts"

export type ReadBlob = (id: BlobId) => Effect.Effect<{ readonly bytes: Uint8Array } | undefined, StoreError>

/** What is said where the file cannot be. */
export const fileWords = ({ text, file }: Say, why: string): string =>
  `${text === file?.name ? "" : `${text}\n\n`}(${file?.name ?? "The file"} could not be sent here: ${why}. It is on Troupe's page.)`

/** Undefined where the bytes are gone. */
export const sendFile = Effect.fnUntraced(function* (
  api: TelegramApi,
  readBlob: ReadBlob,
  say: Say & { readonly platformId: string },
  chat: number,
  { text, entities }: Formatted,
): Effect.fn.Return<true | undefined, TelegramError | StoreError> {
  const { file } = say
  const kept = file == null || file.blob === null ? undefined : yield* readBlob(file.blob)
  if (file === undefined || kept === undefined) return undefined
  const put = (type: "photo" | "document") =>
    api.call("editMessageMedia", {
      chat_id: chat,
      message_id: Number(say.platformId),
      media: {
        type,
        media: new InputFile(kept.bytes, file.name),
        caption: text,
        caption_entities: [...entities] as never,
      },
    })
  yield* file.kind === "photo"
    ? Effect.catchIf(
        put("photo"),
        ({ code, message }) => code === 400 && noPhoto.test(message),
        () => put("document"),
      )
    : put("document")
  return true
})

const noPhoto =
  /image_process_failed|photo_(invalid|ext|save|content)|invalid_dimensions|too big for a photo/i
