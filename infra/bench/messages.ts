/** One message at a time, the same in a burst, and with a tool round: Troupe against the bare bot, on the same emulators. */
import { median, quantile } from "./actors/Report.ts"
import type { Asked } from "./Crowd.ts"
import { compared, exactly, versus, type Figure } from "./Figure.ts"
import type { Installation } from "./Installation.ts"
import { cpuOf, inTurn, type Contender, type Stage } from "./Stage.ts"

const perRound = 120
const rooms = 20

interface Sides {
  readonly bare: Contender
  readonly troupe: Contender
}

/** Until the code is compiled and the plans are cached. */
export const warmUp = async ({ crowd }: Stage, sides: Sides): Promise<void> => {
  await inTurn(2, sides, ({ bot }, n) => crowd.burst(bot, `warm${bot}${n}`, 300, 50))
  await inTurn(1, sides, ({ bot }) => crowd.oneByOne(bot, "warm", 100, 10, "Hello"))
}

export async function* oneByOne(
  { crowd, brain }: Stage,
  sides: Sides,
  rounds: number,
): AsyncGenerator<Figure> {
  const measured = await inTurn(rounds, sides, async (side, round) => {
    const calls = await crowd.calls()
    const { value: asked, cpu } = await cpuOf(side, () =>
      crowd.oneByOne(side.bot, `one${round}-`, perRound, rooms, "Hello"),
    )
    const arrived = await brain.arrived(asked.map(({ q }) => q))
    return {
      reply: asked.map(took),
      toModel: asked.map(({ said }, i) => arrived[i]![0]! - said),
      fromModel: asked.map(({ done }, i) => done - arrived[i]!.at(-1)!),
      calls: ((await crowd.calls()) - calls) / perRound,
      cpu: cpu / perRound,
    }
  })
  const each = (side: "bare" | "troupe", of: "reply" | "toModel" | "fromModel") =>
    measured[side].flatMap((round) => round[of])
  const p50 = (of: "reply" | "toModel" | "fromModel") =>
    [median(each("bare", of)), median(each("troupe", of))] as const
  yield compared("message -> reply, p50", ...p50("reply"), "ms", { most: 2, stretch: 1.5 })
  yield compared(
    "message -> reply, p99 (on a quiet disk)",
    quantile(each("bare", "reply"), 0.99),
    quantile(each("troupe", "reply"), 0.99),
    "ms",
    { most: 2.5 },
  )
  yield versus("message -> model request, p50", ...p50("toModel"), "ms")
  yield compared("model end -> reply, p50", ...p50("fromModel"), "ms", { most: 2.2 })
  yield exactly("Telegram calls for a short answer", median(measured.troupe.map((r) => r.calls)), 2)
  yield compared(
    "CPU of the whole tree per message, one at a time",
    median(measured.bare.map((r) => r.cpu)),
    median(measured.troupe.map((r) => r.cpu)),
    "ms",
    { most: 3, stretch: 2 },
  )
}

export async function* burst({ crowd, brain }: Stage, sides: Sides, rounds: number): AsyncGenerator<Figure> {
  const count = 500
  const measured = await inTurn(rounds, sides, async (side, round) => {
    const name = `burst-${side.bot}-${round}`
    const requests = await brain.requests()
    const { value: ms, cpu } = await cpuOf(side, () => crowd.burst(side.bot, name, count, 100))
    const { merged, twice } = await crowd.standing(name)
    return {
      rate: (count / ms) * 1000,
      cpu: cpu / count,
      alone: (await brain.requests()) - requests - merged - twice,
    }
  })
  yield compared(
    "500 messages over 100 chats at once",
    median(measured.bare.map((r) => r.rate)),
    median(measured.troupe.map((r) => r.rate)),
    "/s",
    { least: 0.7 },
  )
  yield exactly("of them answered alone, and once", Math.min(...measured.troupe.map((r) => r.alone)), count)
  yield compared(
    "CPU of the whole tree per message, in the burst",
    median(measured.bare.map((r) => r.cpu)),
    median(measured.troupe.map((r) => r.cpu)),
    "ms",
    { most: 1.5 },
  )
}

/** The model asks for the smallest command in a shell: in Troupe's sandbox, and as a child of the bare bot. Both succeed. */
export async function* toolRound(
  { crowd, brain }: Stage,
  sides: Sides,
  rounds: number,
  commands: { readonly bare: () => Promise<ReadonlyArray<number>>; readonly troupe: Installation },
): AsyncGenerator<Figure> {
  const between = async (side: Contender, room: string, count: number) => {
    const asked = await crowd.oneByOne(side.bot, room, count, 5, "Hello")
    const arrived = await brain.arrived(asked.map(({ q }) => q))
    return median(arrived.map(([first, second]) => second! - first!))
  }
  await brain.behave({ tool: { name: "shell", input: { command: "true" } } })
  await inTurn(1, sides, (side) => between(side, "warmtool", 40))
  const { bare, troupe } = await inTurn(rounds, sides, (side, n) => between(side, `tool${n}-`, 40))
  await brain.behave({})
  const receipts = await commands.troupe.query<{ ms: number; ok: boolean }>(receiptsText)
  const failed = receipts.filter((r) => !r.ok).length
  yield exactly("tool calls that failed", failed, 0)
  yield compared("a tool round with `true` in a shell, p50", median(bare), median(troupe), "ms", { most: 2 })
  const own = median(receipts.slice(0, 40 * rounds).map((r) => r.ms))
  yield versus("of it the command, about", median(await commands.bare()), own, "ms")
}

const receiptsText = `
select (body->>'ms')::float8 as ms, (body->>'ok')::boolean as ok from event
where kind = 'tool' and body->>'state' = 'finished' order by at desc`

const took = ({ said, done }: Asked): number => done - said
