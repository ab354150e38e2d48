/** How long it takes to be ready, and what it costs to do nothing. */
import { median } from "./actors/Report.ts"
import { atMost, said, type Figure } from "./Figure.ts"
import { pause, type Stage } from "./Stage.ts"
import { cpuMs, rssMb, tree, treeRssMb } from "./Tree.ts"

export async function* startup(stage: Stage, rounds: number): AsyncGenerator<Figure> {
  const fresh: Array<number> = []
  const existing: Array<number> = []
  let last = stage.install({ token: "3000:other" })
  for (let round = 0; round < rounds; round++) {
    if (round > 0) last = stage.install({ token: "3000:other" })
    fresh.push(await last.start())
    await last.stop()
    existing.push(await last.start())
    if (round < rounds - 1) last.remove()
  }
  yield atMost("ready on existing state", median(existing) / 1000, 1.5, "s")
  yield atMost("ready on fresh state", median(fresh) / 1000, 2.5, "s")

  // A process that has started comes to rest first.
  await pause(8_000)
  const before = cpuMs(last.pid)
  const seconds = 10
  await pause(seconds * 1_000)
  yield atMost("idle CPU of the whole tree", (cpuMs(last.pid) - before) / seconds / 10, 1, "%")
  yield atMost("idle memory of the Node process", rssMb(last.pid), 130, "MB")
  yield atMost("idle memory of the whole tree", treeRssMb(last.pid), 230, "MB")
  yield said("processes", String(tree(last.pid).length))
  last.remove()
}
