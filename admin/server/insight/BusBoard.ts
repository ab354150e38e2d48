/** The bus as an operator sees it: durables with whose they are, subjects with the rooms they are of. */
import * as Effect from "effect/Effect"
import { Bus, Roster, Sql, Subject } from "../../../runtime/index.ts"
import type { BusView } from "../../api/index.ts"

interface Waiting {
  readonly unpublished: number
  readonly due: number
  readonly titles: Readonly<Record<string, string>>
}

const text = `
select (select coalesce(sum(head - published), 0) from thread where ws = $1 and head > published)::int as unpublished,
  (select count(*) from decision where ws = $1 and state = 'due')::int as due,
  (select coalesce(jsonb_object_agg(id, title), '{}') from (select id, title from thread where ws = $1 order by last_at desc limit 500) t) as titles`

/** Of so many subjects at most is told. */
const most = 500

export const busBoard = Effect.gen(function* () {
  const bus = yield* Bus
  const sql = yield* Sql
  const roster = yield* Roster
  return Effect.gen(function* () {
    const [seen, state, rows] = yield* Effect.all(
      [bus.inspect, bus.state, sql.cold<Waiting>(text, [roster.ws])],
      {
        concurrency: "unbounded",
      },
    )
    const { agents, doors } = roster.now()
    const { unpublished, due, titles } = rows[0]!
    const who = new Map(
      [...agents.values()].flatMap((a) =>
        [...doors.values()].map((d) => [Subject.durableName(a.id, d.id), `@${a.name} in ${d.name}`] as const),
      ),
    )
    return {
      connected: state.connected,
      server: state.server,
      workspace: roster.ws,
      stream: seen.stream,
      messages: seen.messages,
      bytes: seen.bytes,
      firstSeq: seen.firstSeq,
      lastSeq: seen.lastSeq,
      durables: seen.durables
        .map((d) => ({ ...d, who: who.get(d.name) ?? "somebody else" }))
        .toSorted((a, b) => a.who.localeCompare(b.who)),
      subjects: seen.subjects
        .toSorted((a, b) => b.count - a.count)
        .slice(0, most)
        .map((s) => ({ ...s, room: titles[s.subject.split(".")[4] ?? ""] ?? null })),
      unpublished,
      due,
    } satisfies BusView
  })
})
