/** A migrated database of its own for a test file, as a layer. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { testDatabase } from "../../infra/testing/index.ts"
import { migrate } from "./Migrations.ts"
import { Sql } from "./Sql.ts"

export const layerTest = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* Effect.promise(testDatabase)
    const database = Redacted.make(url)
    return Layer.effectDiscard(migrate(database)).pipe(Layer.provideMerge(Sql.layer(database)))
  }),
)
