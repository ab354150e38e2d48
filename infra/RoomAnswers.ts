/**
 * What a room can be asked about itself, from Postgres alone: who is here and what they do, who took the last words and why, what it
 * cost, and what can be said.
 */
import * as Effect from "effect/Effect"
import {
  Rooms,
  Roster,
  Sql,
  type AgentId,
  type DoorId,
  type EventId,
  type ThreadId,
  type Why,
} from "../runtime/index.ts"

export interface RoomQuestion {
  readonly about: "help" | "who" | "why" | "cost"
  readonly channel: string
  readonly replyTo: string | null
}

const nobodyElse = "" as AgentId

export const roomAnswers = Effect.gen(function* () {
  const rooms = yield* Rooms
  const roster = yield* Roster
  const sql = yield* Sql
  const members = (door: DoorId) => (roster.now().doors.get(door)?.members ?? []).map(({ agent }) => agent)

  const who = Effect.fnUntraced(function* (door: DoorId, thread: ThreadId | undefined) {
    const under = thread === undefined ? [] : yield* rooms.under(thread, nobodyElse)
    return members(door)
      .map(({ id, name, title }) => {
        const work = under.find(({ agent }) => agent === id)
        const doing =
          work === undefined
            ? "free"
            : `${work.state === "running" ? "works" : "waits"} on what ${work.asker} said: ${quoted(work.words)}`
        return `@${name} (${title}): ${doing}`
      })
      .join("\n")
  })

  const why = Effect.fnUntraced(function* (
    door: DoorId,
    thread: ThreadId | undefined,
    replyTo: string | null,
  ) {
    const [asked] =
      thread === undefined
        ? []
        : yield* sql.cold<{ id: EventId; name: string; text: string }>(whyText, [thread, replyTo])
    if (asked === undefined) return "Nothing was said here yet."
    const verdicts = yield* Effect.forEach(members(door), ({ id, name }) =>
      Effect.map(rooms.why(asked.id, id), (reason) => `@${name}: ${verdict(reason)}`),
    )
    return [`${asked.name} said: ${quoted(asked.text)}`, ...verdicts].join("\n")
  })

  const cost = Effect.fnUntraced(function* (thread: ThreadId | undefined) {
    const rows =
      thread === undefined
        ? []
        : yield* sql.cold<{ name: string; turns: number; today: number; all: number }>(costText, [thread])
    if (rows.length === 0) return "This room cost nothing yet."
    const sum = (key: "today" | "all") => rows.reduce((total, row) => total + row[key], 0)
    return [
      `This room: ${dollars(sum("today"))} today, ${dollars(sum("all"))} in all.`,
      ...rows.map((r) => `@${r.name}: ${dollars(r.today)} today, ${dollars(r.all)} in all, ${r.turns} turns`),
    ].join("\n")
  })

  return Effect.fnUntraced(function* (door: DoorId, { about, channel, replyTo }: RoomQuestion) {
    if (about === "help") return help(members(door))
    const [row] = yield* sql.cold<{ id: ThreadId }>(
      "select id from thread where door = $1 and channel = $2",
      [door, channel],
    )
    switch (about) {
      case "who":
        return yield* who(door, row?.id)
      case "why":
        return yield* why(door, row?.id, replyTo)
      case "cost":
        return yield* cost(row?.id)
    }
  })
})

const help = (members: ReadonlyArray<{ readonly name: string; readonly title: string }>): string =>
  [
    `Here: ${members.map(({ name, title }) => `@${name} (${title})`).join(", ") || "nobody yet"}.`,
    "In a private chat just write. In a group name whom you mean, or reply to their words.",
    "",
    "stop, wait, continue: steer who works",
    "approve, refuse, spend $2 more: answer what they ask",
    "/who: who is here, and what they do",
    "/why: who took the last words, and why; as a reply, about that message",
    "/cost: what this room cost",
  ].join("\n")

const verdict = (why: Why | undefined): string =>
  why === undefined ? "does not know these words" : `${why.verdict}, ${why.reason}`
const quoted = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return `"${line.length <= 100 ? line : `${line.slice(0, 99).toWellFormed()}…`}"`
}
const dollars = (micros: number): string => `$${(micros / 1_000_000).toFixed(micros < 1_000_000 ? 4 : 2)}`

/** The message that is meant, else the last that asked somebody. */
const whyText = `
select e.id, e.body->'author'->>'name' as name, e.body->>'text' as text from event e
where e.thread = $1 and e.kind = 'message' and case when $2::text is null
  then e.body->'author'->>'kind' = 'person' and coalesce(e.body->'order', 'null') = 'null'
  else e.source_key = 'tg:' || $2 || ':0' or exists (
    select from outbox o where o.thread = e.thread and o.platform_id = $2 and e.source_key = 'turn:' || o.turn) end
order by e.pos desc limit 1`

const costText = `
select a.name, count(*)::int as turns, sum(t.cost)::float8 as all,
  coalesce(sum(t.cost) filter (where t.started_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'), 0)::float8 as today
from turn t join agent a on a.id = t.agent where t.thread = $1 group by a.name order by a.name`
