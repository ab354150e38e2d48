/**
 * S6 as the turn sees it (P7, P8): its words, whom they ask, its receipt, its money, in one commit. Every end says something:
 * an answer, or why there is none.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  agentAt,
  Courier,
  following,
  Journal,
  mentionsIn,
  mostHops,
  newId,
  type EventId,
  type Release,
  type Said,
  type Usage,
} from "../../../runtime/index.ts"
import type { Line } from "../ConversationStore.ts"
import { rowsFor, type Work } from "./Work.ts"

export interface End {
  readonly state: "finished" | "failed" | "stopped" | "parked"
  readonly text: string
  readonly reason: string | null
  /** The transcript's last lines. */
  readonly lines: ReadonlyArray<Line>
  /** What the open model call cost; null where none was open or its answer is unknown (then what was reserved counts). */
  readonly cost: number | null
  readonly usage: Usage | null
  /** Nothing is said, because it was said already. */
  readonly silent?: boolean
  /** What the end is known by, where the thread may have it only once. */
  readonly key?: string
}

/** Where the turn's words landed in the room. */
export interface Spoke {
  readonly pos: number
  readonly prev: number
}

export const endTurn = Effect.fn("Turn.end")(function* (work: Work, end: End) {
  const journal = yield* Journal
  const courier = yield* Courier
  const now = yield* Clock.currentTimeMillis
  const id = newId<EventId>(now)
  const { agent, door, event } = work
  const hop = event.hop + 1
  const others = door.members.map((m) => m.agent).filter((a) => a.id !== agent.id)
  // What failed may quote anything: it asks nobody.
  const mentions = end.state === "finished" ? mentionsIn(end.text, others) : []
  // Who invited it is told what came of it, whatever that is.
  const inviter = others.find((a) => event.invites === true && a.id === event.author.id)
  const asked = inviter === undefined ? mentions : [...new Set([inviter.id, ...mentions])]
  const tooFar = asked.length > 0 && hop >= mostHops
  const slots = tooFar ? [] : asked
  const text = tooFar
    ? `${end.text}\n\n(Nobody else was called: agents have answered each other ${mostHops} times since a person spoke. Say "continue" and we go on.)`
    : end.text
  const cost = end.cost ?? (work.open.kind === "model" ? work.open.granted : 0)
  const release: ReadonlyArray<Release> =
    work.open.kind === "model" ? [{ scopes: work.scopes, reserved: work.open.granted, spent: cost }] : []
  const total = work.cost + cost

  const words: Said = {
    id,
    key: `turn:${work.turn}`,
    body: following(event, agentAt(door, agent), text, {
      mentions,
      slots,
      turn: work.turn,
      ...(tooFar ? { uncalled: asked } : {}),
    }),
  }
  const written = yield* journal.finish({
    ws: work.ws,
    turn: work.turn,
    agent: agent.id,
    thread: work.thread,
    door: door.id,
    segment: work.segment,
    fence: work.fence,
    taken: work.taken,
    state: end.state,
    reason: end.reason,
    usage: work.usage,
    ended: openSteps(work).map((n) => ({
      n,
      state: stepState(work, end),
      cost: work.open.kind === "model" ? cost : 0,
      usage: end.usage,
    })),
    release,
    rows: rowsFor(work, end.lines),
    event: event.id,
    signature: door.platform && end.silent !== true ? (others.length > 0 ? agent.name : "") : null,
    text,
    due: slots.map((slot) => ({ event: id, slot })),
    events: [
      ...(end.silent === true ? [] : [words]),
      {
        ...(end.key === undefined ? {} : { key: end.key }),
        body: {
          kind: "turn",
          turn: work.turn,
          agent: agent.id,
          message: event.id,
          state: end.state,
          reason: end.reason,
          usage: work.usage,
          cost: total / 1_000_000,
          ms: now - work.startedAt,
          tools: work.tools,
        },
      },
    ],
  })
  if (written.status === "done") {
    work.cost = total
    work.lines.push(...end.lines)
    work.open = { kind: "nothing" }
    if (written.parcel !== null) {
      courier.send({
        turn: work.turn,
        part: written.parcel.part,
        door: door.id,
        thread: work.thread,
        agent: agent.id,
        channel: written.parcel.channel,
        replyTo: written.parcel.replyTo,
        platformId: written.parcel.platformId,
        signature: others.length > 0 ? agent.name : "",
        text,
      })
    }
  }
  const landed = written.events.find((e) => e.id === id)
  return {
    status: written.status,
    next: written.next,
    spoke: landed === undefined ? null : { pos: landed.pos, prev: landed.prev },
  }
})

const stepState = ({ open }: Work, end: End) =>
  end.cost === null || open.kind === "tools" ? "unknown" : end.usage === null ? "failed" : "saved"

const openSteps = (work: Work): ReadonlyArray<number> => {
  switch (work.open.kind) {
    case "model":
      return [work.open.n]
    case "tools":
      return work.open.calls.map((c) => c.n)
    case "nothing":
      return []
  }
}
