/** `troupe <command>`: what a person asks of the runtime that runs on this machine. `--json` prints what the API answered. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { randomUUID } from "node:crypto"
import { resolve } from "node:path"
import { Settings, type Event } from "../../runtime/index.ts"
import { call, CliError } from "./Client.ts"
import { eventLines } from "./EventLines.ts"

const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
const room = Argument.String("room").pipe(Argument.withDescription("A room's id or title"))

interface Room {
  readonly id: string
  readonly title: string
  readonly doorName: string
  readonly head: number
}

const print = (asJson: boolean, value: unknown, lines: ReadonlyArray<string>) =>
  Console.log(asJson ? JSON.stringify(value) : lines.join("\n"))

const rooms = Effect.map(call<{ rooms: ReadonlyArray<Room> }>("GET", "/api/rooms"), (a) => a.rooms)

const findRoom = Effect.fnUntraced(function* (named: string) {
  const found = (yield* rooms).find((r) => r.id === named || r.title === named)
  return found ?? (yield* new CliError({ message: `There is no room "${named}": see \`troupe rooms\`.` }))
})

/** The whole log, page by page. */
const events = Effect.fnUntraced(function* (id: string) {
  const all: Array<Event> = []
  for (;;) {
    const page = yield* call<{ events: ReadonlyArray<Event>; more: boolean }>(
      "GET",
      `/api/rooms/${id}/events?after=${all.at(-1)?.pos ?? 0}`,
    )
    all.push(...page.events)
    if (!page.more) return all
  }
})

const link = Command.make(
  "link",
  { json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call<{ url: string }>("POST", "/api/link", {})
    yield* print(flags.json, answer, [answer.url])
  }),
).pipe(Command.withDescription("A fresh one-time link to the page"))

interface Status {
  readonly parts: ReadonlyArray<{ name: string; where: string }>
  readonly integrations: ReadonlyArray<{ name: string; type: string; state: string; detail: string | null }>
}

const status = Command.make(
  "status",
  { json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call<Status>("GET", "/api/status")
    yield* print(flags.json, answer, [
      ...answer.parts.map((p) => `${p.name.padEnd(12)} ${p.where}`),
      ...answer.integrations.map(
        (i) => `${i.name.padEnd(12)} ${i.state}${i.detail === null ? "" : `: ${i.detail}`}`,
      ),
    ])
  }),
).pipe(Command.withDescription("What runs where, and how the integrations are"))

interface Member {
  readonly name: string
  readonly title: string
  readonly state: string
}

const agents = Command.make(
  "agents",
  { json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call<{ agents: ReadonlyArray<Member> }>("GET", "/api/agents")
    yield* print(
      flags.json,
      answer.agents,
      answer.agents.map((a) => `@${a.name.padEnd(12)} ${a.state.padEnd(8)} ${a.title}`),
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
        : all.map((r) => `${r.id}  ${r.title}  (${r.doorName})`),
    )
  }),
).pipe(Command.withDescription("The rooms, the latest first"))

const thread = Command.make(
  "thread",
  { room, json },
  Effect.fnUntraced(function* (flags) {
    const { id } = yield* findRoom(flags.room)
    const log = yield* events(id)
    yield* print(flags.json, log, eventLines(log))
  }),
).pipe(Command.withDescription("What was said and done in a room, with receipts"))

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
      ? yield* call<Room>("POST", "/api/rooms", { title: flags.room })
      : yield* findRoom(flags.room)
    const answer = yield* call<{ event: string; pos: number }>("POST", `/api/rooms/${id}/say`, {
      id: randomUUID(),
      text: flags.text,
    })
    yield* print(flags.json, { room: id, ...answer }, [`Said in ${id} at ${answer.pos}.`])
  }),
).pipe(Command.withDescription("Say something in a room"))

interface Why {
  readonly name: string
  readonly verdict: string
  readonly reason: string
}

const why = Command.make(
  "why",
  { room, message: Argument.String("message").pipe(Argument.withDefault("last")), json },
  Effect.fnUntraced(function* (flags) {
    const { id } = yield* findRoom(flags.room)
    const message =
      flags.message === "last"
        ? (yield* events(id)).findLast((e) => e.kind === "message" && e.author.kind === "person")?.id
        : flags.message
    if (message === undefined)
      return yield* new CliError({ message: "Nobody has said anything in this room yet." })
    const answer = yield* call<{ why: ReadonlyArray<Why> }>("GET", `/api/rooms/${id}/why?message=${message}`)
    yield* print(
      flags.json,
      answer.why,
      answer.why.map((w) => `@${w.name.padEnd(12)} ${w.verdict.padEnd(8)} ${w.reason}`),
    )
  }),
).pipe(Command.withDescription("Why each agent spoke or stayed silent"))

const stop = Command.make(
  "stop",
  { turn: Argument.String("turn"), json },
  Effect.fnUntraced(function* (flags) {
    const answer = yield* call<{ stopped: boolean }>(
      "POST",
      `/api/turns/${encodeURIComponent(flags.turn)}/stop`,
      {},
    )
    yield* print(flags.json, answer, [answer.stopped ? "Stopped." : "It was not running."])
  }),
).pipe(Command.withDescription("Stop a running turn"))

const inspect = Command.make(
  "inspect",
  { json },
  Effect.fnUntraced(function* (flags) {
    const { home } = yield* Settings
    const context = resolve(home, "nats/inspector.json")
    const nats = (rest: string) => `nats --context ${context} ${rest}`
    const commands = [nats("sub 'troupe.>'"), nats("stream ls"), nats("consumer ls")]
    yield* print(flags.json, { context, commands }, commands)
  }),
).pipe(Command.withDescription("The NATS commands that listen to the bus"))

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
  Command.withSubcommands([start, link, status, agents, list, thread, say, why, stop, inspect]),
)
