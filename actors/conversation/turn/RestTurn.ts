/**
 * S5r as the turn sees it (P6, P7): it says what it waits for, and ends its fiber. Whoever answers puts it to work again by a
 * committed order; then it is taken up from the journal like a turn that another process left.
 */
import * as Effect from "effect/Effect"
import * as Clock from "effect/Clock"
import {
  agentAt,
  Courier,
  following,
  Journal,
  newId,
  type EventId,
  type Order,
  type Release,
  type Said,
  type Usage,
} from "../../../runtime/index.ts"
import type { Line } from "../ConversationStore.ts"
import type { Tool } from "../tools/Tool.ts"
import { hashOf, inputOf } from "./Permissions.ts"
import { summaryOf } from "./RunTools.ts"
import { rowsFor, type ToolCall, type Work } from "./Work.ts"

export interface Rest {
  readonly reason: "approval" | "money" | "wait"
  /** What is said; null when the room knows already. */
  readonly text: string | null
  readonly actions: ReadonlyArray<{ readonly label: string; readonly order: Order }>
  /** What the words are known by, where the thread may have them only once. */
  readonly key?: string
  /** The model call that was saved; null when none was. */
  readonly spent: { readonly cost: number; readonly usage: Usage } | null
  readonly lines: ReadonlyArray<Line>
  readonly pending: ReadonlyArray<ToolCall>
  /** Those of them that a person has to allow. */
  readonly asked: ReadonlyArray<ToolCall>
}

/** Outbox parts of words that are said before the end: above every part of a long answer. */
export const partOf = (n: number): number => 1000 + n

/** What stands in the first message of the turn: what is asked, and what comes of it, is said below. */
const above = "I need an answer first; see below."

/** False: the turn is no longer ours, nothing was written. */
export const restTurn = Effect.fn("Turn.rest")(function* (
  work: Work,
  rest: Rest,
  tools: ReadonlyMap<string, Tool>,
) {
  const journal = yield* Journal
  const courier = yield* Courier
  const { agent, door, event, open } = work
  const id = newId<EventId>(yield* Clock.currentTimeMillis)
  const signature = door.members.length > 1 ? agent.name : ""
  const part = partOf(rest.pending[0]?.n ?? work.step)
  const release: ReadonlyArray<Release> =
    open.kind === "model"
      ? [{ scopes: work.scopes, reserved: open.granted, spent: rest.spent?.cost ?? 0 }]
      : []
  const words: ReadonlyArray<Said> =
    rest.text === null
      ? []
      : [
          {
            id,
            key: rest.key ?? `turn:${work.turn}:${part}`,
            body: following(event, agentAt(door, agent), rest.text, {
              turn: work.turn,
              actions: rest.actions,
            }),
          },
        ]
  const rested = yield* journal.rest({
    ws: work.ws,
    turn: work.turn,
    agent: agent.id,
    thread: work.thread,
    door: door.id,
    fence: work.fence,
    event: event.id,
    signature: door.platform && rest.text !== null ? signature : null,
    part,
    text: rest.text ?? "",
    actions: rest.actions,
    reason: rest.reason,
    segment: work.segment,
    taken: work.taken,
    ended:
      open.kind === "model"
        ? [
            rest.spent === null
              ? { n: open.n, state: "failed", cost: 0, usage: null }
              : { n: open.n, state: "saved", ...rest.spent },
          ]
        : [],
    pending: rest.pending.map((c) => ({ n: c.n, call: c.id, tool: c.name, input: inputOf(c) })),
    approvals: rest.asked.map((c) => ({
      call: c.id,
      tool: c.name,
      summary: summaryOf(c, tools),
      hash: hashOf(inputOf(c)),
    })),
    release,
    rows: rowsFor(work, rest.lines),
    above,
    events: [
      ...words,
      ...rest.asked.map((c): Said => ({
        body: {
          kind: "approval",
          turn: work.turn,
          agent: agent.id,
          call: c.id,
          state: "asked",
          summary: summaryOf(c, tools),
          answer: null,
          by: null,
        },
      })),
      {
        body: {
          kind: "turn",
          turn: work.turn,
          agent: agent.id,
          message: event.id,
          state: "waiting",
          reason: rest.reason,
          usage: null,
          cost: null,
          ms: null,
          tools: null,
        },
      },
    ],
  })
  if (!rested.rested) return false
  work.lines.push(...rest.lines)
  const parcel = { turn: work.turn, door: door.id, thread: work.thread, agent: agent.id, signature }
  if (rested.first !== null) courier.send({ ...parcel, ...rested.first, part: 0, text: above })
  if (rested.parcel !== null)
    courier.send({
      ...parcel,
      ...rested.parcel,
      part,
      platformId: null,
      text: rest.text,
      actions: rest.actions,
    })
  return true
})
