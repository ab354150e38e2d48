/** kill -9 of Node, Postgres and NATS in the middle of a burst, and a restart at once on the same home. */
import { now } from "./Child.ts"
import { atMost, exactly, said, type Figure } from "./Figure.ts"
import { pause, type Stage } from "./Stage.ts"

const count = 200

export async function* crash(stage: Stage, rounds: number): AsyncGenerator<Figure> {
  const troupe = stage.install({ token: "3000:other" })
  await troupe.start()
  await stage.crowd.burst("other", "warm", 100, 40)
  const lives: Array<{
    lost: number
    twice: number
    strays: number
    ready: number
    all: number
    before: number
  }> = []
  for (let round = 0; round < rounds; round++) {
    const name = `crash${round}`
    const all = stage.crowd.burst("other", name, count, 40)
    // Wherever it stands then: some are answered, most are somewhere on the way.
    while ((await stage.crowd.standing(name)).answered < 20) await pause(2)
    const { answered: before } = await stage.crowd.standing(name)
    const from = now()
    await troupe.killEverything()
    const ready = troupe.start()
    await all
    const finished = now() - from
    await ready
    const { answered, twice, strays } = await stage.crowd.standing(name)
    lives.push({ lost: count - answered, twice, strays, ready: await ready, all: finished, before })
  }
  troupe.remove()
  const worst = (of: keyof (typeof lives)[number]) => Math.max(...lives.map((l) => l[of]))
  yield exactly(`kill -9 of everything in a burst of ${count}, ${rounds} times: lost`, worst("lost"), 0)
  yield exactly("answered in two messages", worst("twice"), 0)
  yield atMost("from the kill until all are answered", worst("all") / 1000, 3, "s")
  yield said("the restart of that", `${(worst("ready") / 1000).toFixed(2)} s`)
  yield said("stray placeholders; answered before the kill", `${worst("strays")}; ${worst("before")}`)
}
