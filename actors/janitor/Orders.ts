/** Wake-ups may be lost: whoever runs a turn that was stopped and still runs, or that was resumed and does not, is told again. */
import * as Effect from "effect/Effect"
import { Bus, Roster, Sql, Subject } from "../../runtime/index.ts"

export const tellOrders = Effect.gen(function* () {
  const sql = yield* Sql
  const bus = yield* Bus
  const { ws } = yield* Roster
  const rows = yield* sql.hot<{ agent: string; thread: string; turn: string; stop: boolean }>(
    `select agent, thread, id as turn, stop from turn where ws = $1 and state in ('running', 'waiting')
      and (stop or (state = 'running' and reason = 'resumed'))`,
    [ws],
  )
  for (const { stop, ...row } of rows)
    bus.tell(Subject.controlSubject(ws, stop ? "stop" : "resume"), JSON.stringify(row))
})
