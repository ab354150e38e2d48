import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import { expect, it } from "vitest"
import type { MessageEvent } from "../../runtime/index.ts"
import { JoinQueue } from "./JoinQueue.ts"
import type { Word } from "./Messages.ts"
import { find, insert, without, type Waiting } from "./Waiting.ts"

const event = (pos: number) => ({ id: `e${pos}`, pos }) as unknown as MessageEvent
const steps = FastCheck.array(
  FastCheck.record({
    does: FastCheck.constantFrom("hear", "hear", "hear", "join", "begin", "take", "crash"),
    pos: FastCheck.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 60 },
)

it("words are told in any order and often: each waits once, is acknowledged once it is decided, joins or begins once, in order (P2, P4)", () => {
  FastCheck.assert(
    FastCheck.property(steps, (all) => {
      let waiting: Waiting = []
      let joining = new JoinQueue([], () => {})
      const decided = new Map<number, "joined" | "begun">()
      /** In the journal: joined, and not taken in. */
      let untaken: Array<number> = []
      const taken: Array<number> = []
      const unacked = new Set<number>()
      const settle = (pos: number, how: "joined" | "begun") => {
        expect(decided.has(pos)).toBe(false)
        decided.set(pos, how)
        find(waiting, `e${pos}`)!.ack()
        waiting = without(waiting, `e${pos}`)
      }
      for (const { does, pos } of all) {
        const oldest = waiting[0]?.event.pos
        if (does === "hear") {
          unacked.add(pos)
          const ack = () => void unacked.delete(pos)
          if (decided.has(pos)) ack()
          else
            waiting = insert(waiting, {
              event: event(pos),
              slot: "ada",
              reason: "",
              ranking: [],
              ack,
            } satisfies Word)
        } else if (does === "join" && oldest !== undefined) {
          settle(oldest, "joined")
          untaken.push(oldest)
          joining.add(event(oldest))
        } else if (does === "begin" && oldest !== undefined) settle(oldest, "begun")
        else if (does === "take") {
          const words = joining.take().map((w) => w.pos)
          expect(words).toEqual(untaken)
          taken.push(...words)
          untaken = []
        } else if (does === "crash") {
          // Memory is gone: what joined is read from the journal, what waited is told again by the bus.
          waiting = []
          joining = new JoinQueue(untaken.map(event), () => {})
        }
        const places = waiting.map((w) => w.event.pos)
        expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b))
        // What is not decided is not acknowledged: it comes again.
        for (const p of places) expect(unacked.has(p)).toBe(true)
        for (const p of unacked) expect(decided.has(p)).toBe(false)
      }
      const rest = joining.take().map((w) => w.pos)
      expect([...taken, ...rest]).toEqual(
        [...decided].flatMap(([pos, how]) => (how === "joined" ? [pos] : [])),
      )
    }),
    { numRuns: 2000, seed: 20261124 },
  )
})

it("whoever waits for words that join is woken by each, also by those that were there before", async () => {
  const joining = new JoinQueue([event(1)], () => {})
  await Effect.runPromise(joining.some)
  expect(joining.take()).toHaveLength(1)
  const woken = Effect.runPromise(joining.some)
  joining.add(event(2))
  await woken
  expect(joining.take().map((w) => w.pos)).toEqual([2])
})
