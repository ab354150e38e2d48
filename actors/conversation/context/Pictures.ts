/** The pictures that came with words, as the model sees them: after the words, each once. */
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import type { Block } from "../../../integrations/anthropic/index.ts"
import { Blobs, type MessageEvent } from "../../../runtime/index.ts"
import { seesImage } from "./Words.ts"

export const pictures = Effect.fnUntraced(function* (event: MessageEvent) {
  const shown = event.attachments.filter(seesImage)
  if (shown.length === 0) return []
  const blobs = yield* Blobs
  const found = yield* Effect.forEach(shown, (a) =>
    Effect.map(blobs.read(a.blob!), (blob) => (blob === undefined ? [] : [imageBlock(a.mime, blob.bytes)])),
  )
  return found.flat()
})

const imageBlock = (mime: string, bytes: Uint8Array): Block => ({
  type: "image",
  source: { type: "base64", media_type: mime, data: Buffer.from(bytes).toString("base64") },
})
