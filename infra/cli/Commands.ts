/** `troupe <command>`: what a person asks of the runtime that runs on this machine. `--json` prints what the API answered. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { randomUUID } from "node:crypto"
import type { Event } from "../../runtime/index.ts"
import { apply } from "./ApplyCommand.ts"
import { backup, restore } from "./BackupCommand.ts"
import { call, CliError } from "./Client.ts"
import { completions } from "./CompletionsCommand.ts"
import { doctor } from "./DoctorCommand.ts"
import { eventLines } from "./EventLines.ts"
import { github } from "./GithubSetup.ts"
import { inspect } from "./InspectCommand.ts"
import { orders } from "./OrderCommands.ts"
import { json, print } from "./Output.ts"
import { bold, dim, harmless, red } from "./Paint.ts"
import { eventsOf, findRoom, members, rooms, type Room } from "./Rooms.ts"
import { tail } from "./Tail.ts"
import { tokens } from "./TokensCommand.ts"

const room = Argument.String("room").pipe(Argument.withDescription("A room's id or title"))

const names = Effect.map(members, (all) => new Map(all.map((a) => [a.id, a.name])))

const link = Command.make(
  "link",
  { json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call("POST /api/link")
    yield* print(flags.json, answer, [answer.url])
  }),
).pipe(Command.withDescription("A fresh one-time link to the page"))

const status = Command.make(
  "status",
  { json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call("GET /api/status")
    yield* print(flags.json, answer, [
      ...answer.parts.map((p) => `${bold(p.name.padEnd(12))} ${p.where}`),
      ...answer.integrations.map((i) => {
        const state = i.state === "failed" ? red(i.state) : i.state
        return `${bold(i.name.padEnd(12))} ${i.type}, ${state}${i.detail === null ? "" : `: ${harmless(i.detail)}`}`
      }),
    ])
  }),
).pipe(Command.withDescription("What runs where, and how the integrations are"))

const agents = Command.make(
  "agents",
  { json },
  Effect.fnUntraced(function* (flags) {
    const all = yield* members
    yield* print(
      flags.json,
      all,
      all.map((a) => `${bold(`@${a.name}`.padEnd(13))} ${a.state.padEnd(8)} ${dim(a.title)}`),
    )
  }),
).pipe(Command.withDescription("Who works here"))

const list = Command.make(
  "rooms",
  { json },
  Effect.fnUntraced(function* (flags) {
    const all = yield* rooms
    yield* print(
      flags.json,
      all,
      all.length === 0
        ? ['No rooms yet: open one with `troupe say --new "Title" "words"`.']
        : all.map((r) => `${dim(r.id)}  ${bold(harmless(r.title))}  ${dim(r.doorName)}`),
    )
  }),
).pipe(Command.withDescription("The rooms, the latest first"))

const thread = Command.make(
  "thread",
  { room, json },
  Effect.fnUntraced(function* (flags) {
    const log = yield* eventsOf(yield* findRoom(flags.room))
    const known = yield* names
    yield* print(
      flags.json,
      log,
      log.flatMap((event) => eventLines(event, known)),
    )
  }),
).pipe(Command.withDescription("What was said and done in a room, with receipts"))

const follow = Command.make(
  "tail",
  { room, json },
  Effect.fnUntraced(function* (flags) {
    yield* tail(yield* findRoom(flags.room), yield* names, flags.json)
  }),
).pipe(Command.withDescription("Follow a room as it happens, until Ctrl-C; JSON is one event a line"))

const say = Command.make(
  "say",
  {
    room,
    text: Argument.String("text"),
    fresh: Flag.Boolean("new").pipe(
      Flag.withDescription("Open a new room with this title first"),
      Flag.withDefault(false),
    ),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const { id } = flags.fresh
      ? yield* call("POST /api/rooms", { body: { title: flags.room } })
      : yield* findRoom(flags.room)
    const answer = yield* call("POST /api/rooms/:id/say", {
      params: { id },
      body: { id: randomUUID(), text: flags.text },
    })
    yield* print(flags.json, { room: id, ...answer }, [`Said in ${id} at ${answer.pos}.`])
  }),
).pipe(Command.withDescription("Say something in a room"))

const why = Command.make(
  "why",
  {
    room,
    message: Argument.String("message").pipe(
      Argument.withDescription("Its id, its position in `troupe thread`, or last"),
      Argument.withDefault("last"),
    ),
    agent: Flag.String("agent").pipe(Flag.withDescription("Only this agent's reason"), Flag.optional),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const room = yield* findRoom(flags.room)
    const messages = (yield* eventsOf(room)).filter((e) => e.kind === "message")
    const message =
      flags.message === "last"
        ? messages.findLast((e) => e.author.kind === "person")
        : messages.find((e) => e.id === flags.message || String(e.pos) === flags.message)
    if (message === undefined)
      return yield* new CliError({
        message:
          flags.message === "last"
            ? "Nobody has said anything in this room yet."
            : `There is no message ${flags.message} in this room: see \`troupe thread\`.`,
      })
    const answer = yield* call("GET /api/rooms/:id/why", {
      params: { id: room.id },
      query: { message: message.id },
    })
    const asked = Option.map(flags.agent, (name) => name.replace(/^@/, ""))
    const shown = answer.why.filter((w) => Option.isNone(asked) || w.name === asked.value)
    if (Option.isSome(asked) && shown.length === 0)
      return yield* new CliError({ message: `There is no agent "${asked.value}": see \`troupe agents\`.` })
    yield* print(
      flags.json,
      shown,
      shown.map((w) => `${bold(`@${w.name}`.padEnd(13))} ${w.verdict.padEnd(8)} ${w.reason}`),
    )
  }),
).pipe(Command.withDescription("Why each agent spoke or stayed silent"))

const stop = Command.make(
  "stop",
  {
    what: Argument.String("what").pipe(Argument.withDescription("A turn's id, or a room's id or title")),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const named = (r: Room) => r.id === flags.what || r.title.toLowerCase() === flags.what.toLowerCase()
    const turns = (yield* rooms).some(named)
      ? runningIn(yield* eventsOf(yield* findRoom(flags.what)))
      : [flags.what]
    const answers = yield* Effect.forEach(turns, (turn) =>
      call("POST /api/turns/:turn/stop", { params: { turn } }),
    )
    const stopped = answers.some((a) => a.stopped)
    yield* print(flags.json, { stopped }, [stopped ? "Stopped." : "It was not running."])
  }),
).pipe(Command.withDescription("Stop a running turn, or all that run in a room"))

/** Turns that the log does not show as ended. */
const runningIn = (log: ReadonlyArray<Event>): ReadonlyArray<string> => {
  const open = new Set<string>()
  for (const event of log) {
    if (event.kind !== "turn") continue
    if (["finished", "failed", "stopped", "parked"].includes(event.state)) open.delete(event.turn)
    else open.add(event.turn)
  }
  return [...open]
}

const pair = Command.make(
  "pair",
  {
    code: Argument.String("code").pipe(
      Argument.withDescription("The code a stranger got; without it, all who ask or were let in"),
      Argument.optional,
    ),
    remove: Flag.Boolean("remove").pipe(
      Flag.withDescription("The number of somebody who was let in: a stranger again"),
      Flag.withDefault(false),
    ),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const { pairings } = yield* call("GET /api/pairings")
    if (Option.isNone(flags.code)) {
      const lines = pairings.map(
        (p) => `${p.user.padEnd(13)} ${p.state.padEnd(8)} ${harmless(p.name)} ${dim(p.doorName)}`,
      )
      return yield* print(flags.json, pairings, lines.length === 0 ? ["Nobody asks to be let in."] : lines)
    }
    const given = flags.code.value
    if (flags.remove) {
      const known = pairings.filter(({ user }) => user === given)
      for (const { door, user } of known)
        yield* call("DELETE /api/pairings/:door/:user", { params: { door, user } })
      return yield* print(flags.json, known, [
        known.length === 0 ? `Nobody with the number ${harmless(given)} was let in.` : "Removed.",
      ])
    }
    const admitted = yield* call("POST /api/pairings", { body: { code: given } })
    yield* print(flags.json, admitted, [
      `${harmless(admitted.name)} (${admitted.user}) may speak to ${admitted.doorName} now.`,
    ])
  }),
).pipe(Command.withDescription("Let in a stranger who wrote to a bot"))

const start = Command.make(
  "start",
  {},
  Effect.fnUntraced(function* () {
    const { run } = yield* Effect.promise(() => import("../Run.ts"))
    const code = yield* Effect.promise(() => run)
    yield* Effect.sync(() => process.exit(code))
  }),
).pipe(Command.withDescription("Start everything, as `npm start`"))

export const troupe = Command.make("troupe").pipe(
  Command.withDescription("A company of AI agents on your own machine"),
  Command.withSubcommands([
    start,
    apply,
    link,
    status,
    agents,
    list,
    thread,
    follow,
    say,
    why,
    stop,
    ...orders,
    tokens,
    pair,
    doctor,
    backup,
    restore,
    inspect,
    github,
    completions((): Command.Command.Any => troupe),
  ]),
)
