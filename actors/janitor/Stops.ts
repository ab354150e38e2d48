/** Wake-ups may be lost: whoever runs a turn that was stopped, and still runs, is told again. */
import * as Effect from "effect/Effect"
import { Bus, Roster, Sql, Subject } from "../../runtime/index.ts"

export const tellStops = Effect.gen(function* () {
  const sql = yield* Sql
  const bus = yield* Bus
  const { ws } = yield* Roster
  const rows = yield* sql.hot<{ agent: string; thread: string; turn: string }>(
    "select agent, thread, id as turn from turn where ws = $1 and state in ('running', 'waiting') and stop",
    [ws],
  )
  for (const row of rows) bus.tell(Subject.controlSubject(ws, "stop"), JSON.stringify(row))
})
