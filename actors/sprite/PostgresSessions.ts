/** The rows of shells in Postgres: what lets a shell outlive the runtime. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Sql, type StoreError } from "../../runtime/index.ts"
import { SessionStore, SessionStoreError, type SessionRow } from "./SessionStore.ts"

const columns = `agent, thread, machine, session, cwd, state,
  to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastUsedAt"`

const failure = (cause: StoreError) =>
  new SessionStoreError({ message: `The shell's row could not be read or written: ${cause.message}`, cause })

export const layerPostgres = Layer.effect(
  SessionStore,
  Effect.gen(function* () {
    const sql = yield* Sql
    const run = <R extends object>(text: string, params: ReadonlyArray<unknown>) =>
      sql.cold<R>(text, params).pipe(Effect.mapError(failure))
    return SessionStore.of({
      load: (agent, thread) =>
        Effect.map(
          run<SessionRow>(`select ${columns} from sprite_session where agent = $1 and thread = $2`, [
            agent,
            thread,
          ]),
          (rows) => rows[0] ?? null,
        ),
      save: (row) =>
        Effect.asVoid(
          run(
            `insert into sprite_session (agent, thread, machine, session, cwd, state, last_used_at)
             values ($1, $2, $3, $4, $5, $6, $7::text::timestamptz)
             on conflict (agent, thread) do update set machine = excluded.machine, session = excluded.session,
               cwd = excluded.cwd, state = excluded.state, last_used_at = excluded.last_used_at`,
            [row.agent, row.thread, row.machine, row.session, row.cwd, row.state, row.lastUsedAt],
          ),
        ),
      remove: (agent, thread) =>
        Effect.asVoid(run("delete from sprite_session where agent = $1 and thread = $2", [agent, thread])),
      all: run<SessionRow>(`select ${columns} from sprite_session`, []),
    })
  }),
)
