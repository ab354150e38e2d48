/** Files that came with words: bytes in Postgres, named by an id that is not guessable. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { newId, type BlobId } from "./Id.ts"

export interface Blob {
  readonly name: string
  readonly mime: string
  readonly bytes: Uint8Array
}

export class Blobs extends Context.Service<
  Blobs,
  {
    readonly store: (blob: Blob) => Effect.Effect<BlobId, StoreError>
    readonly read: (id: BlobId) => Effect.Effect<Blob | undefined, StoreError>
  }
>()("troupe/room/Blobs") {
  static readonly layer = Layer.effect(
    Blobs,
    Effect.gen(function* () {
      const sql = yield* Sql
      return Blobs.of({
        store: Effect.fnUntraced(function* (blob) {
          const id = newId<BlobId>(yield* Clock.currentTimeMillis)
          yield* sql.cold("insert into blob (id, name, mime, size, bytes) values ($1, $2, $3, $4, $5)", [
            id,
            blob.name,
            blob.mime,
            blob.bytes.length,
            blob.bytes,
          ])
          return id
        }),
        read: (id) =>
          Effect.map(
            sql.cold<Blob>("select name, mime, bytes from blob where id = $1", [id]),
            (rows) => rows[0],
          ),
      })
    }),
  )
}
