/**
 * Puts away what nobody owns: machines of agents that no longer exist, shells without a row (left by a crash between
 * start and save), and shells that were idle for long while no actor watched them. Call it at start and every 5 minutes.
 *
 * A shell without a row is ended only when it is seen so twice in a row: the first time it may just be opening.
 * Only processes with our label are touched, so a program that an agent or a tool runs beside is safe.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AgentId, WorkspaceId } from "../../runtime/index.ts"
import { Sandbox, type SandboxError } from "../../integrations/sprites/index.ts"
import { machineName, machinePrefix } from "./MachineName.ts"
import { SessionStore } from "./SessionStore.ts"
import type { SessionRow, SessionStoreError } from "./SessionStore.ts"
import { SHELL_LABEL } from "./ShellScript.ts"

export interface Reaped {
  readonly machines: ReadonlyArray<string>
  /** `<machine>/<session id>` */
  readonly sessions: ReadonlyArray<string>
}

export interface ReapOptions {
  readonly workspace: WorkspaceId
  /** Default: 1 hour; longer than the idle time of the shell actors. */
  readonly idleAfter?: Duration.Input
}

/** Keeps what was suspected; the returned function takes ALL agents of the workspace: the machine of any other is deleted. */
export const makeReaper = (
  options: ReapOptions,
): ((
  agents: ReadonlyArray<AgentId>,
) => Effect.Effect<Reaped, SandboxError | SessionStoreError, Sandbox | SessionStore>) => {
  let suspects: ReadonlySet<string> = new Set()
  const idleAfter = Duration.toMillis(options.idleAfter ?? "1 hour")

  return Effect.fn("Reap.reap")(function* (agents: ReadonlyArray<AgentId>) {
    const sandbox = yield* Sandbox
    const store = yield* SessionStore
    const owned = new Set(agents.map((agent) => machineName(options.workspace, agent)))
    const present = yield* sandbox.names(machinePrefix(options.workspace))
    const machines = present.filter((name) => !owned.has(name))
    yield* Effect.forEach(machines, sandbox.destroy, { discard: true })

    const rows = yield* store.all
    const now = yield* Clock.currentTimeMillis
    const idle = (row: SessionRow) => row.state === "idle" && Date.parse(row.lastUsedAt) < now - idleAfter
    const sessions: Array<string> = []
    const suspected = new Set<string>()
    for (const row of rows) if (!owned.has(row.machine)) yield* store.remove(row.agent, row.thread)
    for (const name of present.filter((name) => owned.has(name))) {
      const here = rows.filter((row) => row.machine === name && row.session !== "")
      const machine = yield* sandbox.open(name)
      for (const session of yield* machine.sessions) {
        if (!session.command.includes(SHELL_LABEL)) continue
        const key = `${name}/${session.id}`
        const row = here.find(({ session: id }) => id === session.id)
        if (row === undefined && !suspects.has(key)) suspected.add(key)
        else if (row === undefined || idle(row)) {
          yield* machine.killSession(session.id, "KILL")
          if (row !== undefined) yield* store.save({ ...row, session: "", state: "closed" })
          sessions.push(key)
        }
      }
    }
    suspects = suspected
    return { machines, sessions }
  })
}
