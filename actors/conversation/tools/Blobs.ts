/** The port to the bytes of files that came with words. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BlobId } from "../../../runtime/index.ts"

export class BlobsError extends Schema.TaggedError<BlobsError>()("BlobsError", {
  /** One plain sentence: what is wrong and what to do. */
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export interface Blob {
  readonly bytes: Uint8Array
  readonly mime: string
  readonly name: string
}

export class Blobs extends Context.Service<
  Blobs,
  { readonly read: (blob: BlobId) => Effect.Effect<Blob, BlobsError> }
>()("troupe/conversation/Blobs") {}
