/** The agents' computers: which there are, whose, their shells, files and kept states. Only machines of this workspace. */
import * as Effect from "effect/Effect"
import { machineName, machinePrefix } from "../../../actors/sprite/index.ts"
import { Sandbox, type SandboxError } from "../../../integrations/sprites/index.ts"
import { Roster, Sql } from "../../../runtime/index.ts"
import { Conflict, NotFound, type SandboxView, Unavailable } from "../../api/index.ts"

type Session = SandboxView["sessions"][number] & { readonly machine: string }

const text = `
select s.machine, s.thread as room, coalesce(t.title, s.thread) as title, s.session, s.cwd, s.state,
  to_char(s.last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "usedAt"
from sprite_session s left join thread t on t.id = s.thread order by s.last_used_at desc`

const mostText = 256 * 1024

const refused = (error: SandboxError) =>
  error.kind === "missing"
    ? new NotFound({ error: error.message })
    : error.kind === "unavailable" || error.kind === "lost"
      ? new Unavailable({ error: `The sandbox server does not answer: ${error.message}` })
      : new Conflict({ error: error.message })

export const machines = Effect.gen(function* () {
  const sandbox = yield* Sandbox
  const sql = yield* Sql
  const roster = yield* Roster
  const prefix = machinePrefix(roster.ws)
  const nothing = new NotFound({ error: "There is no such computer." })
  /** A machine that is there: opening one that is not would make it. */
  const open = Effect.fnUntraced(function* (name: string) {
    const names = yield* sandbox.names(prefix).pipe(Effect.mapError(refused))
    if (!names.includes(name)) return yield* nothing
    return yield* sandbox.open(name).pipe(Effect.mapError(refused))
  })
  return {
    list: Effect.gen(function* () {
      const [names, sessions] = yield* Effect.all([
        sandbox.names(prefix).pipe(Effect.mapError(refused)),
        sql.cold<Session>(text, []),
      ])
      const owners = new Map(
        [...roster.now().agents.values()].map((a) => [machineName(roster.ws, a.id), a.name]),
      )
      return names.toSorted().map((machine): SandboxView => ({
        machine,
        agent: owners.get(machine) ?? null,
        sessions: sessions.filter((s) => s.machine === machine),
      }))
    }),
    files: (name: string, path: string) =>
      Effect.flatMap(open(name), (machine) => machine.list(path).pipe(Effect.mapError(refused))).pipe(
        Effect.map((entries) => entries.map(({ name, type, size }) => ({ name, type, size }))),
      ),
    file: (name: string, path: string) =>
      Effect.flatMap(open(name), (machine) => machine.readFile(path).pipe(Effect.mapError(refused))).pipe(
        Effect.map((bytes) => ({
          text: new TextDecoder().decode(bytes.subarray(0, mostText)),
          cut: bytes.length > mostText,
        })),
      ),
    kept: Effect.fnUntraced(function* (name: string) {
      const machine = yield* open(name)
      const [checkpoints, network] = yield* Effect.all([machine.checkpoints, machine.network]).pipe(
        Effect.mapError(refused),
      )
      return { checkpoints: checkpoints.map((c) => ({ ...c, at: c.at.toISOString() })), network }
    }),
    keep: (name: string, comment: string) =>
      Effect.flatMap(open(name), (machine) => machine.checkpoint(comment).pipe(Effect.mapError(refused))),
    restore: (name: string, id: string) =>
      Effect.flatMap(open(name), (machine) => machine.restore(id).pipe(Effect.mapError(refused))),
  }
})
