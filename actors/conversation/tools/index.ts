/** The public list of actors/conversation/tools. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Blobs as Stored } from "../../../runtime/index.ts"
import { Blobs, BlobsError } from "./Blobs.ts"

export { builtinTools } from "./BuiltinTools.ts"

/** Files that came with words, from the store. */
export const toolBlobs = Layer.effect(
  Blobs,
  Effect.map(Stored, (stored) =>
    Blobs.of({
      read: (id) =>
        stored.read(id).pipe(
          Effect.mapError(
            (cause) => new BlobsError({ message: "The file cannot be read now; try again.", cause }),
          ),
          Effect.flatMap((blob) =>
            blob === undefined
              ? Effect.fail(new BlobsError({ message: "The file is not kept any more.", cause: id }))
              : Effect.succeed(blob),
          ),
        ),
    }),
  ),
)
