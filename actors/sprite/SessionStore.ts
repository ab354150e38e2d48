/**
 * The port to the rows that say which shell belongs to whom, so that a shell outlives the runtime: one row per
 * (agent, thread). A closed shell keeps its row without a session, so that the next one opens in the same directory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentId, ThreadId } from "../../runtime/index.ts"

export const SessionRow = Schema.Struct({
  agent: AgentId,
  thread: ThreadId,
  machine: Schema.String,
  /** The id the sandbox server gave the shell's process; empty while there is none. */
  session: Schema.String,
  cwd: Schema.String,
  /** `idle`, `closed`, or `running:<mark>:<tag>` of the command that was sent and has not ended (P6). */
  state: Schema.String,
  /** ISO 8601. */
  lastUsedAt: Schema.String,
})
export type SessionRow = typeof SessionRow.Type

export class SessionStoreError extends Schema.TaggedError<SessionStoreError>()("SessionStoreError", {
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export class SessionStore extends Context.Service<
  SessionStore,
  {
    readonly load: (agent: AgentId, thread: ThreadId) => Effect.Effect<SessionRow | null, SessionStoreError>
    /** Insert or replace the row of (agent, thread). */
    readonly save: (row: SessionRow) => Effect.Effect<void, SessionStoreError>
    readonly remove: (agent: AgentId, thread: ThreadId) => Effect.Effect<void, SessionStoreError>
    readonly all: Effect.Effect<ReadonlyArray<SessionRow>, SessionStoreError>
  }
>()("troupe/sprite/SessionStore") {
  static readonly layerMemory = Layer.sync(SessionStore, () => {
    const rows = new Map<string, SessionRow>()
    const key = (agent: AgentId, thread: ThreadId) => `${agent} ${thread}`
    return SessionStore.of({
      load: (agent, thread) => Effect.sync(() => rows.get(key(agent, thread)) ?? null),
      save: (row) => Effect.sync(() => void rows.set(key(row.agent, row.thread), row)),
      remove: (agent, thread) => Effect.sync(() => void rows.delete(key(agent, thread))),
      all: Effect.sync(() => [...rows.values()]),
    })
  })
}
