/**
 * Work per message must not grow with agents that do not hear it, with threads, or with what is stored. Installations of three
 * sizes run beside each other, are warmed up first and measured in turn; medians are compared. Statements are counted by Postgres
 * itself, as transactions: each of ours is one statement. What they ask while nothing happens is taken off.
 */
import type { BotName } from "./Crowd.ts"
import { median } from "./actors/Report.ts"
import { said, type Figure } from "./Figure.ts"
import { now } from "./Child.ts"
import type { Installation } from "./Installation.ts"
import { cpuOf, pause, type Stage } from "./Stage.ts"

const perRound = 150
const rounds = 3

interface Size {
  readonly what: string
  readonly bot: BotName
  readonly troupe: Installation
}

interface Work {
  readonly ms: number
  readonly cpu: number
  readonly statements: number
}

export async function* growth(stage: Stage): AsyncGenerator<Figure> {
  const sizes: ReadonlyArray<Size> = [
    { what: "1 agent", bot: "other", troupe: stage.install({ token: "3000:other" }) },
    { what: "100 agents", bot: "more", troupe: stage.install({ token: "4000:more", others: 99 }) },
    { what: "1000 agents", bot: "many", troupe: stage.install({ token: "5000:many", others: 999 }) },
  ]
  for (const { troupe } of sizes) await troupe.start()
  const [base, ...grown] = await worksOf(stage, "fresh", sizes)
  const [one, hundred, thousand] = sizes
  await thousand!.troupe.stop()
  await hundred!.troupe.query(fill)
  const what = "100 agents, 10^5 stored messages in 1,000 threads"
  const [again, full] = await worksOf(stage, "stored", [one!, { ...hundred!, what }])
  for (const { troupe } of sizes) troupe.remove()

  for (const [{ what }, { ms, cpu, statements }] of [base!, ...grown, full!])
    yield said(
      `one message, ${what}`,
      `${ms.toFixed(1)} ms, ${cpu.toFixed(1)} ms CPU, ${statements.toFixed(1)} statements`,
    )
  // Each is compared with the small one in the same minutes.
  const growthOf = (of: keyof Work) =>
    Math.max(...grown.map(([, work]) => work[of] / base![1][of]), full![1][of] / again![1][of])
  for (const [what, of, most] of [
    ["statements", "statements", 1.1],
    ["time", "ms", 1.5],
    ["CPU", "cpu", 1.5],
  ] as const) {
    const ratio = growthOf(of)
    yield { what: `growth of ${what} per message`, troupe: "", ratio, goal: `<= ${most}x`, ok: ratio <= most }
  }
}

const worksOf = async (
  { crowd }: Stage,
  name: string,
  sizes: ReadonlyArray<Size>,
): Promise<ReadonlyArray<readonly [Size, Work]>> => {
  for (const { bot } of sizes) {
    for (const n of [1, 2]) await crowd.burst(bot, `${name}-warm${n}`, 300, 50)
    await crowd.oneByOne(bot, name, 100, 10, "Hello")
  }
  const troupes = sizes.map(({ troupe }) => troupe)
  const idle = await counting(troupes, () => pause(12_000))
  const busy = await counting(troupes, async () => {
    const measured = sizes.map((): Array<Omit<Work, "statements">> => [])
    for (let round = 0; round < rounds; round++)
      for (const [i, { bot, troupe }] of sizes.entries()) {
        const side = { bot, pid: () => troupe.pid }
        const { value, cpu } = await cpuOf(side, () => crowd.oneByOne(bot, name, perRound, 10, "Hello"))
        measured[i]!.push({ ms: median(value.map(({ said, done }) => done - said)), cpu: cpu / perRound })
      }
    return measured
  })
  return sizes.map((size, i) => [
    size,
    {
      ms: median(busy.value[i]!.map((m) => m.ms)),
      cpu: median(busy.value[i]!.map((m) => m.cpu)),
      statements:
        (busy.statements[i]! - (idle.statements[i]! / idle.seconds) * busy.seconds) / (perRound * rounds),
    },
  ])
}

/** A backend reports what it did with the first statement after a second, or when it ends: the sweeps see to both. */
const settled = 4_500

const counting = async <A>(troupes: ReadonlyArray<Installation>, work: () => Promise<A>) => {
  await pause(settled)
  const before = await Promise.all(troupes.map(committed))
  const from = now()
  const value = await work()
  await pause(settled)
  const after = await Promise.all(troupes.map(committed))
  return { value, statements: after.map((n, i) => n - before[i]!), seconds: (now() - from) / 1_000 }
}

const committed = async (troupe: Installation): Promise<number> => {
  const [row] = await troupe.query<{ n: number }>(
    "select sum(xact_commit)::float8 as n from pg_stat_database where datname = current_database()",
  )
  return row!.n
}

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
