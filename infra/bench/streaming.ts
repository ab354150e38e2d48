/** How soon a person sees words while a long answer streams. */
import { median, quantile } from "./actors/Report.ts"
import { firstTokenAfter } from "./Manner.ts"
import { atMost, said, type Figure } from "./Figure.ts"
import type { Stage } from "./Stage.ts"

export async function* streaming({ crowd, brain }: Stage): AsyncGenerator<Figure> {
  const ms = 1_000
  await brain.behave({ streamMs: ms })
  const asked = await crowd.oneByOne("troupe", "stream", 9, 3, "Hello")
  const arrived = await brain.arrived(asked.map(({ q }) => q))
  await brain.behave({})
  const seen = asked.map(({ first }, i) => first - arrived[i]![0]! - firstTokenAfter(ms))
  yield atMost("first token -> words visible, 1 s reply, p50", median(seen), 150, "ms")
  yield said("the slowest of 9", `${quantile(seen, 1).toFixed(0)} ms`)
}
