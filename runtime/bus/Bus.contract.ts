/** What every bus must do; each adapter runs it. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import { newId, type AgentId, type DoorId, type ThreadId, type WorkspaceId } from "../room/Id.ts"
import { Bus, type Delivery } from "./Bus.ts"
import { durableName, eventSubject, everythingIn, liveOf, liveSubject, wordsOf } from "./Subject.ts"

/** Resolves when `items` has `n` entries; the bus tells by calling `add`. */
const collector = <A>() => {
  const items: Array<A> = []
  const waiters: Array<{ n: number; done: () => void }> = []
  return {
    items,
    add: (item: A) => {
      items.push(item)
      for (const w of waiters) if (items.length >= w.n) w.done()
    },
    reach: (n: number) =>
      items.length >= n ? Promise.resolve() : new Promise<void>((done) => waiters.push({ n, done })),
  }
}

/** `request` asks whoever serves a subject, as a program elsewhere does. */
export const suite = <R, E>(
  name: string,
  ws: WorkspaceId,
  layer: Layer.Layer<Bus | R, E>,
  request: (subject: string, payload: string) => Effect.Effect<unknown, unknown, R>,
) =>
  describe(name, () => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())
    const door = "door1" as DoorId
    const agent = () => newId<AgentId>(Date.now())
    const since = new Date(Date.now() - 60_000).toISOString()
    const words = (thread: string, n: number) => ({
      subject: eventSubject(ws, door, thread, "message"),
      id: `${thread}-${n}`,
      payload: JSON.stringify({ thread, n }),
    })
    const numbers = (items: ReadonlyArray<Delivery>) =>
      items.map((d) => (JSON.parse(d.payload) as { n: number }).n)

    it("delivers what is published, in order, once per id", () =>
      runtime.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const bus = yield* Bus
            const heard = collector<Delivery>()
            const durable = durableName(agent(), door)
            const filter = eventSubject(ws, door, "order", "message")
            yield* bus.hear({ durable, filter, since, onMessage: (d) => (d.ack(), heard.add(d)) })
            yield* bus.publish([1, 2, 3].map((n) => words("order", n)))
            yield* bus.publish([words("order", 2), words("order", 4)])
            yield* Effect.promise(() => heard.reach(4))
            expect(numbers(heard.items)).toEqual([1, 2, 3, 4])
          }),
        ),
      ))

    it("delivers again after a new start what was not acknowledged, and only that", () =>
      runtime.runPromise(
        Effect.gen(function* () {
          const bus = yield* Bus
          const durable = durableName(agent(), door)
          const hearing = { durable, filter: eventSubject(ws, door, "again", "message"), since }
          yield* bus.publish([1, 2, 3].map((n) => words("again", n)))
          const first = collector<Delivery>()
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* bus.hear({ ...hearing, onMessage: first.add })
              yield* Effect.promise(() => first.reach(3))
              first.items[0]!.ack()
              first.items[2]!.ack()
              yield* bus.publish([words("again", 4)])
              yield* Effect.promise(() => first.reach(4))
              first.items[3]!.ack()
            }),
          )
          expect(numbers(first.items)).toEqual([1, 2, 3, 4])
          const second = collector<Delivery>()
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* bus.hear({ ...hearing, onMessage: (d) => (d.ack(), second.add(d)) })
              yield* bus.publish([words("again", 5)])
              // 2 was never acknowledged: it comes again, after its time; 5 is new. 1, 3 and 4 are not told again.
              yield* Effect.promise(() => second.reach(2))
            }),
          )
          expect(numbers(second.items).toSorted()).toEqual([2, 5])
        }),
      ))

    it("hears every thread of its door and no other door", () =>
      runtime.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const bus = yield* Bus
            const heard = collector<Delivery>()
            const here = "door2" as DoorId
            yield* bus.hear({
              durable: durableName(agent(), here),
              filter: wordsOf(ws, here),
              since,
              onMessage: (d) => (d.ack(), heard.add(d)),
            })
            yield* bus.publish([
              { subject: eventSubject(ws, "door3", "x", "message"), id: "x3", payload: '{"n":1}' },
              { subject: eventSubject(ws, here, "x", "intent"), id: "x4", payload: '{"n":2}' },
              { subject: eventSubject(ws, here, "x", "message"), id: "x5", payload: '{"n":3}' },
              { subject: eventSubject(ws, here, "y", "message"), id: "x6", payload: '{"n":4}' },
            ])
            yield* Effect.promise(() => heard.reach(2))
            expect(numbers(heard.items)).toEqual([3, 4])
          }),
        ),
      ))

    it("tells live words to whoever listens", () =>
      runtime.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const bus = yield* Bus
            const heard = collector<string>()
            yield* bus.listen(liveOf(ws, "*" as ThreadId), (_, payload) => heard.add(payload))
            bus.tell(liveSubject(ws, "t1" as ThreadId, "a1" as AgentId), "one")
            bus.tell(liveSubject(ws, "t2" as ThreadId, "a2" as AgentId), "two")
            yield* Effect.promise(() => heard.reach(2))
            expect(heard.items).toEqual(["one", "two"])
          }),
        ),
      ))

    it("whoever listens hears what is stored, too", () =>
      runtime.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const bus = yield* Bus
            const heard = collector<string>()
            yield* bus.listen(everythingIn(ws, "both" as ThreadId), (subject) => heard.add(subject))
            yield* bus.publish([words("both", 1)])
            yield* Effect.promise(() => heard.reach(1))
            expect(heard.items).toEqual([eventSubject(ws, door, "both", "message")])
          }),
        ),
      ))

    it("keeps for somebody else what comes from then on", () =>
      runtime.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const bus = yield* Bus
            const ear = {
              durable: durableName(agent(), door),
              filter: eventSubject(ws, door, "kept", "message"),
              since,
            }
            yield* bus.keep(ear)
            yield* bus.keep(ear)
            yield* bus.publish([words("kept", 1), words("kept", 2)])
            const heard = collector<Delivery>()
            yield* bus.hear({ ...ear, onMessage: (d) => (d.ack(), heard.add(d)) })
            yield* Effect.promise(() => heard.reach(2))
            expect(numbers(heard.items)).toEqual([1, 2])
          }),
        ),
      ))

    it("answers requests as long as it serves them", () =>
      runtime.runPromise(
        Effect.gen(function* () {
          const bus = yield* Bus
          const subject = `troupe.${ws}.ask.one`
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* bus.serve({
                name: "test",
                version: "1.0.0",
                description: "",
                endpoints: [
                  {
                    name: "ask",
                    subject: `troupe.${ws}.ask.*`,
                    handle: (at, payload) => Effect.succeed({ at, payload }),
                  },
                ],
              })
              expect(yield* request(subject, "hello")).toEqual({ at: subject, payload: "hello" })
            }),
          )
          expect(yield* Effect.option(request(subject, "hello"))).toMatchObject({ _tag: "None" })
        }),
      ))

    it("shows what is stored, and who hears it", () =>
      runtime.runPromise(
        Effect.gen(function* () {
          const bus = yield* Bus
          const durable = durableName(agent(), door)
          yield* bus.keep({ durable, filter: wordsOf(ws, door), since })
          const subject = eventSubject(ws, door, "seen", "message")
          yield* bus.publish(
            [1, 2].map((n) => ({ subject, id: `seen-${n}`, payload: JSON.stringify({ n }) })),
          )
          const { durables, messages, subjects } = yield* bus.inspect
          expect(messages).toBeGreaterThanOrEqual(2)
          expect(subjects).toContainEqual({ subject, count: 2 })
          expect(durables.find((d) => d.name === durable)).toMatchObject({ filter: wordsOf(ws, door) })
          expect((yield* bus.newest(subject))?.payload).toBe('{"n":2}')
          expect(yield* bus.newest(eventSubject(ws, door, "nobody", "message"))).toBeNull()
          yield* bus.leave(durable)
        }),
      ))

    it("a durable that left is gone, and leaving twice is fine", () =>
      runtime.runPromise(
        Effect.gen(function* () {
          const bus = yield* Bus
          const durable = durableName(agent(), door)
          yield* Effect.scoped(
            bus.hear({ durable, filter: wordsOf(ws, door), since, onMessage: (d) => d.ack() }),
          )
          yield* bus.keep({ durable, filter: wordsOf(ws, door), since })
          expect(yield* bus.durables).toContain(durable)
          yield* bus.leave(durable)
          yield* bus.leave(durable)
          expect(yield* bus.durables).not.toContain(durable)
        }),
      ))
  })
