/**
 * Who may use the bus, kept as the company is: outside agents get their NATS user and file in the embedded tier, at once when
 * they join or leave. For a server of your own, the same users are written down as its configuration (`troupe inspect --config`).
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { isInside, NatsPermissions, Roster, Subject } from "../runtime/index.ts"
import { account, type Home, type Outsider } from "./embedded/index.ts"
import type { Servers } from "./Servers.ts"

/** Beside the embedded server's own files, in every tier. */
export const usersFile = "nats/users.conf"

export const layer = (at: Pick<Servers, "home" | "admit">) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const roster = yield* Roster
      const changes = yield* Queue.sliding<void>(1)
      yield* Effect.acquireRelease(
        Effect.sync(() => roster.onChange(() => Queue.offerUnsafe(changes, undefined))),
        (stopListening) => Effect.sync(stopListening),
      )
      const admit = Effect.suspend(() => {
        const all = outsiders(roster)
        return Effect.andThen(at.admit(all), writeUsers(at.home, all))
      }).pipe(Effect.catch((e) => Effect.logError(`Users of the bus could not be changed. ${e.message}`)))
      yield* admit
      yield* Queue.take(changes).pipe(Effect.andThen(admit), Effect.forever, Effect.forkScoped)
    }),
  )

/** What each outside agent may do, and what its program has to know. */
const outsiders = (roster: Roster["Service"]): ReadonlyArray<Outsider> => {
  const { ws } = roster
  const { agents, doors } = roster.now()
  return [...agents.values()]
    .filter((agent) => !isInside(agent))
    .map((agent) => {
      const open = [...doors.values()].filter((d) => d.members.some((m) => m.agent.id === agent.id))
      return {
        id: agent.id,
        name: agent.name,
        may: NatsPermissions.outside(
          ws,
          agent,
          open.map((d) => d.id),
        ),
        about: {
          agent: agent.id,
          workspace: ws,
          say: Subject.sayAs(ws, agent.id),
          stream: Subject.streamName(ws),
          doors: open.map((d) => ({
            name: d.name,
            id: d.id,
            durable: Subject.durableName(agent.id, d.id),
          })),
        },
      }
    })
}

const writeUsers = (home: Home, all: ReadonlyArray<Outsider>) => {
  const variable = (name: string) => `$TROUPE_${name.toUpperCase().replaceAll("-", "_")}_PASSWORD`
  const users = [
    { user: "runtime", password: variable("runtime") },
    { user: "inspector", password: variable("inspector"), may: NatsPermissions.inspector },
    ...all.map(({ name, may }) => ({ user: name, password: variable(name), may })),
  ]
  return home.keep(
    usersFile,
    `# Users of this company for a nats-server of your own: \`include\` this file there. Passwords are read from that server's
# environment; after a change, \`nats-server --signal reload\` takes it up and drops nobody who stays.
# An inbox of its own for each: connect with the inbox prefix _INBOX_<user> (\`nats --inbox-prefix\`).
accounts {
  ${account(users)}
}
`,
  )
}
