/**
 * Work per message must not grow with agents that do not hear it, with threads, or with what is stored. Statements are counted
 * by Postgres itself, as transactions: each of ours is one statement.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Sql } from "../../runtime/index.ts"
import { median } from "./actors/Report.ts"
import { said, type Figure } from "./Figure.ts"
import { now } from "./Child.ts"
import type { Installation } from "./Installation.ts"
import { cpuOf, pause, type Stage } from "./Stage.ts"

const perRound = 150

interface Work {
  readonly ms: number
  readonly cpu: number
  readonly statements: number
}

export async function* growth(stage: Stage): AsyncGenerator<Figure> {
  const works: Array<readonly [string, Work]> = []
  for (const others of [0, 99, 999]) {
    const troupe = stage.install({ token: "3000:other", others })
    await troupe.start()
    works.push([`${others + 1} agents`, await workOf(stage, troupe, `a${others}`)])
    if (others === 99) {
      await query(troupe, fill)
      works.push(["100 agents, 10^5 stored messages in 1,000 threads", await workOf(stage, troupe, "stored")])
    }
    troupe.remove()
  }
  const base = works[0]![1]
  for (const [what, { ms, cpu, statements }] of works)
    yield said(
      `one message, ${what}`,
      `${ms.toFixed(1)} ms, ${cpu.toFixed(1)} ms CPU, ${statements.toFixed(1)} statements`,
    )
  const worst = (of: keyof Work) => Math.max(...works.map(([, w]) => w[of])) / base[of]
  for (const [what, of, most] of [
    ["statements", "statements", 1.1],
    ["time", "ms", 1.5],
    ["CPU", "cpu", 1.5],
  ] as const)
    yield {
      what: `growth of ${what} per message`,
      troupe: "",
      ratio: worst(of),
      goal: `<= ${most}x`,
      ok: worst(of) <= most,
    }
}

const workOf = async ({ crowd }: Stage, troupe: Installation, name: string): Promise<Work> => {
  const side = { bot: "other", pid: () => troupe.pid } as const
  await crowd.burst("other", `${name}-warm`, 300, 50)
  await crowd.oneByOne("other", name, 60, 10, "Hello")
  await pause(1_000)
  const idle = await counting(troupe, () => pause(2_000))
  const busy = await counting(troupe, () =>
    cpuOf(side, () => crowd.oneByOne("other", name, perRound, 10, "Hello")),
  )
  const background = (idle.statements / idle.seconds) * busy.seconds
  return {
    ms: median(busy.value.value.map(({ said, done }) => done - said)),
    cpu: busy.value.cpu / perRound,
    statements: (busy.statements - background) / perRound,
  }
}

/** A backend reports what it did when it has been idle for a second. */
const counting = async <A>(troupe: Installation, work: () => Promise<A>) => {
  await pause(1_300)
  const before = await committed(troupe)
  const from = now()
  const value = await work()
  await pause(1_300)
  return { value, statements: (await committed(troupe)) - before, seconds: (now() - from) / 1_000 }
}

const committed = async (troupe: Installation): Promise<number> => {
  const [row] = await query<{ n: number }>(
    troupe,
    "select sum(xact_commit)::float8 as n from pg_stat_database where datname = current_database()",
  )
  return row!.n
}

const query = <R extends object>(troupe: Installation, text: string) =>
  Effect.runPromise(
    Effect.flatMap(Sql, (sql) => sql.cold<R>(text, [])).pipe(
      Effect.provide(Sql.layer(Redacted.make(troupe.database))),
    ),
  )

/** Finished conversations of the one agent that is heard: what a year of use leaves behind. */
const fill = `
with at as (select a.ws, a.id as agent, d.id as door from agent a join door d on d.ws = a.ws and d.type = 'telegram' where a.name = 'ada'),
n as (select t, p, 'old' || t as thread, 'old' || t || '.' || p as id from generate_series(1, 1000) t, generate_series(1, 100) p),
th as (
  insert into thread (id, ws, door, channel, title, head, said, published)
  select 'old' || t, ws, door, 'old' || t, 'old', 100, 100, 100 from at, generate_series(1, 1000) t),
ib as (insert into inbox (door, external_id, raw) select door, 'old' || id, '{}' from at, n),
du as (
  insert into decision (event, slot, thread, ws, state, agent, turn)
  select id, agent, thread, ws, 'lead', agent, 'turn' || id from at, n),
tu as (
  insert into turn (id, ws, event, slot, agent, thread, door, fence, principal, root, hop, segment, state)
  select 'turn' || id, ws, id, agent, agent, thread, door, 1, 'somebody', id, 0, 1, 'finished' from at, n),
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, state, platform_id, text, fence)
  select 'turn' || id, 0, door, thread, agent, 'old' || t, 'done', p::text, 'old words', 1 from at, n)
insert into event (thread, pos, prev, id, kind, source_key, body)
select thread, p, p - 1, id, 'message', 'old:' || p, '{"kind": "message", "text": "old words"}' from n`
