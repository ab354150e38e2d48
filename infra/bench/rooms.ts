/**
 * Several agents in one room: how soon all have decided, what each further ear costs, what a thousand agents at rest cost, and
 * what a hundred rooms at work at once do to the answers of each.
 */
import { median } from "./actors/Report.ts"
import { now } from "./Child.ts"
import { atMost, said, type Figure } from "./Figure.ts"
import type { Installation } from "./Installation.ts"
import { pageUser } from "./PageUser.ts"
import { cpuOf, pause, type Stage } from "./Stage.ts"
import { cpuMs, rssMb } from "./Tree.ts"

type User = Awaited<ReturnType<typeof pageUser>>

const names = (count: number) => Array.from({ length: count }, (_, i) => `agent${i}`)
const p99 = (times: ReadonlyArray<number>) =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)]!

export async function* rooms(stage: Stage, rounds: number): AsyncGenerator<Figure> {
  const costs = new Map<number, number>()
  for (const ears of [1, 10, 50]) {
    const troupe = stage.install({ token: "3000:other", page: names(ears) })
    await troupe.start()
    const user = await pageUser(troupe)
    costs.set(ears, await costOf(troupe, user, rounds))
    if (ears === 10) yield* decisions(user, rounds)
    await user.leave()
    troupe.remove()
  }
  const each = (ears: number) => (costs.get(ears)! - costs.get(1)!) / (ears - 1)
  yield said(
    "CPU of one open message, 1 / 10 / 50 hear it",
    [...costs.values()].map((c) => `${c.toFixed(1)}`).join(" / ") + " ms",
  )
  yield atMost("each further ear, of the cost of a message", each(50) / costs.get(1)!, 0.1, "x")
  yield* atRest(stage)
  yield* atWork(stage)
}

/** CPU milliseconds of one message that nobody is named in. */
const costOf = async (troupe: Installation, user: User, rounds: number) => {
  const room = await user.open("ears")
  for (let i = 0; i < rounds; i++) await user.say(room, `warm #q${i}`, "message", 1)
  const { cpu } = await cpuOf({ bot: "other", pid: () => troupe.pid }, async () => {
    for (let i = 0; i < rounds; i++) await user.say(room, `hello #q${i}`, "message", 1)
  })
  return cpu / rounds
}

async function* decisions(user: User, rounds: number): AsyncGenerator<Figure> {
  const room = await user.open("ten")
  const times: Array<number> = []
  const all = names(10)
    .map((name) => `@${name}`)
    .join(" ")
  for (let i = 0; i < rounds; i++) {
    times.push(await user.say(room, `${all} hello #q${i}`, "intent", 10))
    await pause(60)
  }
  yield atMost("10 addressed agents, all have decided, p50", median(times), 25, "ms")
  const open: Array<number> = []
  for (let i = 0; i < rounds; i++) {
    open.push(await user.say(room, `hello #q${i}`, "intent", 1))
    await pause(20)
  }
  yield atMost("10 agents hear open words, one leads, p50", median(open), 25, "ms")
}

async function* atRest(stage: Stage): AsyncGenerator<Figure> {
  const troupe = stage.install({ token: "3000:other", page: names(1_000) })
  await troupe.start()
  const user = await pageUser(troupe)
  for (let i = 0; i < 100; i++) await user.open(`room ${i}`)
  await pause(15_000)
  const before = cpuMs(troupe.pid)
  const seconds = 15
  await pause(seconds * 1_000)
  yield atMost("1,000 agents in 100 rooms at rest, Node", rssMb(troupe.pid), 400, "MB")
  yield atMost("1,000 agents in 100 rooms at rest, CPU", (cpuMs(troupe.pid) - before) / seconds / 10, 3, "%")
  await user.leave()
  troupe.remove()
}

async function* atWork(stage: Stage): AsyncGenerator<Figure> {
  const troupe = stage.install({ token: "3000:other", page: names(2) })
  await troupe.start()
  const user = await pageUser(troupe)
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => user.open(`work ${i}`)))
  for (const room of many) await user.say(room, "@agent0 warm #q1", "message", 1)
  const one: Array<number> = []
  for (let i = 0; i < 200; i++) one.push(await user.say(many[0]!, `@agent0 hello #q${i}`, "message", 1))
  // Each room says something once a second.
  const seconds = 5
  const times: Array<number> = []
  const from = now()
  await Promise.all(
    many.map(async (room, i) => {
      for (let n = 0; n < seconds; n++) {
        await pause(Math.max(0, from + n * 1_000 + i * 10 - now()))
        times.push(await user.say(room, `@agent${i % 2} hello #q${n}`, "message", 1))
      }
    }),
  )
  yield said("one room: p50, p99", `${median(one).toFixed(1)}, ${p99(one).toFixed(1)} ms`)
  yield said(
    "100 rooms, one message a second each: p50, p99",
    `${median(times).toFixed(1)}, ${p99(times).toFixed(1)} ms`,
  )
  yield atMost("p99 with 100 rooms at work", p99(times) / p99(one), 5, "x of one room")
  await user.leave()
  troupe.remove()
}
