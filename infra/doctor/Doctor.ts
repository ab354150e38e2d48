/**
 * `troupe doctor`: looks at everything that Troupe stands on, with or without a Troupe that runs, and changes nothing. What is wrong
 * comes with the one command that mends it.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import { bus } from "./BusCheck.ts"
import { company, model } from "./Company.ts"
import { database } from "./Database.ts"
import { wrong, type Finding } from "./Finding.ts"
import { home } from "./HomeFiles.ts"
import { disk, natsProgram, node, postgresProgram } from "./Machine.ts"
import { listening, reachable, running } from "./Running.ts"
import { sandboxes } from "./Sandboxes.ts"

export const examine = Effect.gen(function* () {
  const { alive, findings } = yield* running
  const { findings: file, webhooks } = yield* company
  const parts = yield* Effect.all(
    [
      Effect.succeed(findings),
      Effect.succeed([node(process.version)]),
      natsProgram,
      postgresProgram,
      home,
      Effect.map(disk, (one) => [one]),
      Effect.succeed(file),
      listening,
      database(alive),
      bus(alive),
      model,
      sandboxes.pipe(
        Effect.catch((e) => Effect.succeed([wrong("sandboxes", e.message, "npx troupe doctor")])),
      ),
      reachable(alive, webhooks),
    ] as const,
    { concurrency: 4 },
  )
  return parts.flatMap((part): ReadonlyArray<Finding> => part)
})
