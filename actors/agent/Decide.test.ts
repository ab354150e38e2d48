/**
 * Who answers, as the pure core sees it: random rooms, words, repairs, orders of delivery and duplicates. The store is played by
 * its one rule: the first to fill a slot has it (P5).
 */
import * as FastCheck from "fast-check"
import { describe, expect, it } from "vitest"
import {
  openSlot,
  orderSlot,
  rank,
  triageSlot,
  type Agent,
  type AgentId,
  type Door,
  type MessageEvent,
} from "../../runtime/index.ts"
import { mentionsIn, namedIn, slotsOf } from "../../runtime/room/Address.ts"
import { orderIn } from "../../runtime/room/Order.ts"
import { decide, type Verdict } from "./Decide.ts"

const topics = ["bug", "release", "docs", "Über", "c++"]
const names = ["ada", "bo", "cy", "dee-dee", "x_1"]
const agents = FastCheck.uniqueArray(
  FastCheck.record({
    name: FastCheck.constantFrom(...names),
    kind: FastCheck.constantFrom("inside" as const, "inside" as const, "inside" as const, "outside" as const),
    interests: FastCheck.subarray(topics),
    patience: FastCheck.constantFrom(1, 10, 60),
  }),
  { minLength: 1, maxLength: 5, selector: (a) => a.name },
)
const doors = FastCheck.record({
  members: agents,
  triage: FastCheck.constantFrom("off" as const, "interests" as const, "model" as const),
}).map(({ members, triage }): Door => {
  const made = members.map((m): Agent => ({
    ...m,
    id: `id-${m.name}` as AgentId,
    title: "",
    model: null,
    soul: "",
    steering: null,
    network: null,
    permissions: {},
  }))
  return {
    id: "d",
    name: "d",
    type: "web",
    steering: "join",
    platform: false,
    triage,
    members: made.map((agent) => ({ agent, since: "" })),
  } as unknown as Door
})
const texts = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom(
      ...topics,
      ...names,
      ...names.map((n) => `@${n}`),
      "and",
      ",",
      ":",
      "please",
      "stop",
      "go on",
      "@nobody",
      "a@ada.example",
    ),
    FastCheck.string({ maxLength: 8 }),
  ),
  { maxLength: 8 },
).map((words) => words.join(" "))
const said = FastCheck.record({
  text: texts,
  direct: FastCheck.boolean(),
  id: FastCheck.uuid(),
  minutes: FastCheck.nat(90),
  repair: FastCheck.nat(6),
  lead: FastCheck.nat(6),
  author: FastCheck.nat(9),
})
type Said = typeof said extends FastCheck.Arbitrary<infer S> ? S : never

const now = Date.parse("2026-11-24T12:00:00Z")
/** The message as it is published: what the door and the statement make of the words. */
const heard = (door: Door, s: Said): MessageEvent => {
  const members = door.members.map((m) => m.agent)
  const order = orderIn(s.text)
  const author = members[s.author]
  const mentions =
    author === undefined
      ? namedIn(s.text, members)
      : mentionsIn(s.text, members).filter((id) => id !== author.id)
  const slots =
    author === undefined
      ? order === undefined
        ? slotsOf({ text: s.text, mentions, direct: s.direct }, door)
        : [orderSlot]
      : mentions
  return {
    id: s.id,
    kind: "message",
    text: s.text,
    author:
      author === undefined
        ? { door: "d", id: "7", name: "Eva", kind: "person" }
        : { door: "d", id: author.id, name: author.name, kind: "agent" },
    slots,
    mentions,
    edits: null,
    lastLead: members[s.lead]?.id ?? null,
    at: new Date(now - s.minutes * 60_000).toISOString(),
    ...(s.repair > 0 ? { repair: s.repair } : {}),
  } as unknown as MessageEvent
}
const isOpen = (slot: string) => slot === openSlot || slot === triageSlot
const runs = { numRuns: 2000, seed: 20261124 }

describe("who answers", () => {
  it("rank is the same for every member, whatever order it knows them in, and names each agent that works here once", () => {
    FastCheck.assert(
      FastCheck.property(doors, said, FastCheck.infiniteStream(FastCheck.nat()), (door, s, dice) => {
        const members = door.members.map((m) => m.agent)
        const event = heard(door, s)
        const one = rank(event, members)
        const shuffled = members
          .map((m) => ({ m, key: dice.next().value as number }))
          .toSorted((a, b) => a.key - b.key)
        expect(
          rank(
            event,
            shuffled.map((x) => x.m),
          ),
        ).toEqual(one)
        expect(one.map((r) => r.agent).toSorted()).toEqual(
          members
            .filter((m) => m.kind === "inside")
            .map((m) => m.id)
            .toSorted(),
        )
        for (const r of one) expect(r.why).not.toBe("")
        const last = members.find((m) => m.id === event.lastLead && m.kind === "inside")
        if (last !== undefined) expect(one[0]!.agent).toBe(last.id)
      }),
      runs,
    )
  })

  it("slots are the addressed, or one that is open, or none; nobody who is not here is asked", () => {
    FastCheck.assert(
      FastCheck.property(doors, said, (door, s) => {
        const { slots, mentions } = heard(door, s)
        const ids = door.members.map((m) => m.agent.id as string)
        expect(new Set(slots).size).toBe(slots.length)
        const special = slots.filter((x) => !ids.includes(x))
        if (special.length > 0) expect(slots).toEqual([special[0]])
        for (const slot of special) expect([openSlot, triageSlot, orderSlot]).toContain(slot)
        if (mentions.length > 0 && !slots.includes(orderSlot)) expect(slots).toEqual(mentions)
        for (const id of mentions) expect(ids).toContain(id)
      }),
      runs,
    )
  })

  it("an order is nothing but an order: more words, or a question, are not", () => {
    FastCheck.assert(
      FastCheck.property(texts, FastCheck.constantFrom(...topics), (text, word) => {
        if (orderIn(text) !== undefined) {
          expect(orderIn(`${text} ${word}`)).toBeUndefined()
          expect(orderIn(`@ada ${text.toUpperCase()}!`)).toEqual(orderIn(text))
        }
      }),
      runs,
    )
  })

  it("at each repair one more may take an open slot, in rank; the addressed always may, and only they", () => {
    FastCheck.assert(
      FastCheck.property(doors, said, (door, s) => {
        const event = heard(door, { ...s, minutes: 0 })
        const members = door.members.map((m) => m.agent)
        const takers = members
          .filter((m) => mineOf(decide(event, m.id, door, now)) !== undefined)
          .map((m) => m.id as string)
        const slot = event.slots[0]
        if (slot === undefined) expect(takers).toEqual([])
        else if (isOpen(slot)) {
          const ranked = rank(event, members).filter((r) => r.agent !== event.author.id)
          expect(takers.toSorted()).toEqual(
            ranked
              .slice(0, 1 + s.repair)
              .map((r) => r.agent as string)
              .toSorted(),
          )
        } else if (slot === orderSlot) {
          const orders = members.filter((m) => decide(event, m.id, door, now).verdict === "order").length
          expect(orders).toBe(s.repair === 0 ? 0 : Math.min(1 + s.repair, rank(event, members).length))
        } else
          expect(takers.toSorted()).toEqual([...event.slots].filter((x) => x !== event.author.id).toSorted())
      }),
      runs,
    )
  })

  it("each slot has one lead, whoever hears it first, how often, and who is dead; it is led as soon as one in rank lives", () => {
    FastCheck.assert(
      FastCheck.property(
        doors,
        FastCheck.array(said, { minLength: 1, maxLength: 6 }),
        FastCheck.nat(31),
        FastCheck.infiniteStream(FastCheck.nat()),
        (door, words, dead, dice) => {
          const members = door.members.map((m) => m.agent)
          const lives = members.filter((_, i) => (dead & (1 << i)) === 0)
          const events = words.map((s) => heard(door, { ...s, minutes: 0, repair: 0, author: 9 }))
          const leads = new Map<string, string>()
          const tell = (event: MessageEvent) => {
            // Everybody hears it, in any order, some of them twice; and all of it is told to everybody in one order by `pos`.
            const ears = [...lives, ...lives]
              .map((m) => ({ m, key: dice.next().value as number }))
              .toSorted((a, b) => a.key - b.key)
            for (const { m } of ears) {
              const mine = mineOf(decide(event, m.id, door, now))
              if (mine !== undefined && !leads.has(`${event.id} ${mine}`))
                leads.set(`${event.id} ${mine}`, m.id)
            }
          }
          for (const event of events) tell(event)
          for (let repair = 1; repair <= members.length; repair++)
            for (const event of events) {
              const due = event.slots.filter((slot) => !leads.has(`${event.id} ${slot}`))
              if (due.length > 0) tell({ ...event, slots: due, repair } as unknown as MessageEvent)
            }
          for (const event of events)
            for (const slot of event.slots) {
              const lead = leads.get(`${event.id} ${slot}`)
              if (slot === orderSlot) continue
              if (isOpen(slot))
                expect(lead).toBe(
                  rank(event, members).find((r) => lives.some((m) => m.id === r.agent))?.agent,
                )
              else expect(lead).toBe(lives.some((m) => m.id === slot) ? slot : undefined)
            }
        },
      ),
      runs,
    )
  })

  it("stale words are left alone unless they are addressed, by everybody's own patience", () => {
    FastCheck.assert(
      FastCheck.property(doors, said, (door, s) => {
        const event = heard(door, { ...s, author: 9, repair: 6 })
        for (const { agent } of door.members) {
          const mine = mineOf(decide(event, agent.id, door, now))
          if (event.slots.includes(agent.id)) expect(mine).toBe(agent.id)
          else if (event.slots.some(isOpen) && agent.kind === "inside")
            expect(mine !== undefined).toBe(s.minutes <= agent.patience)
        }
      }),
      runs,
    )
  })
})

const mineOf = (verdict: Verdict): string | undefined =>
  verdict.verdict === "mine" ? verdict.slot : undefined
