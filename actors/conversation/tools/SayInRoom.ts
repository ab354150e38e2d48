/**
 * Words of a turn that goes on (S5w), for tools. They are known by their call, so said once, however often the call is repeated
 * (P8).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  agentAt,
  Courier,
  following,
  Journal,
  newId,
  type AgentId,
  type Attachment,
  type Door,
  type EventId,
  type WorkspaceId,
} from "../../../runtime/index.ts"
import { isKnown } from "../ConversationStore.ts"
import { partOf } from "../turn/RestTurn.ts"
import { Refusal } from "./SchemaTool.ts"
import { TurnContext } from "./Tool.ts"

export interface RoomWords {
  readonly text: string
  /** An agent that is asked for help. */
  readonly invited?: AgentId
  readonly file?: Attachment
}

const keyOf = (turn: TurnContext["Service"]) => `turn:${turn.turn}:${turn.call}`

/** Whether this call has spoken before a crash. */
export const hasSpoken = Effect.flatMap(TurnContext, (turn) => isKnown(turn.thread, keyOf(turn)))

export const sayInRoom = Effect.fn("Tool.say")(function* (
  ws: WorkspaceId,
  door: Door,
  { text, invited, file }: RoomWords,
) {
  const journal = yield* Journal
  const courier = yield* Courier
  const turn = yield* TurnContext
  const id = newId<EventId>(yield* Clock.currentTimeMillis)
  const part = partOf(turn.n)
  const asked = invited === undefined ? [] : [invited]
  const signature = door.members.length > 1 ? turn.agentName : ""
  const said = yield* journal.remark({
    ws,
    turn: turn.turn,
    agent: turn.agent,
    thread: turn.thread,
    door: door.id,
    fence: turn.fence,
    event: turn.event,
    signature: door.platform ? signature : null,
    part,
    text,
    actions: null,
    file: file ?? null,
    due: asked.map((slot) => ({ event: id, slot })),
    events: [
      {
        id,
        key: keyOf(turn),
        body: following(
          { id: turn.event, root: turn.root, hop: turn.hop, principal: turn.principal },
          agentAt(door, { id: turn.agent, name: turn.agentName }),
          text,
          {
            mentions: asked,
            attachments: file === undefined ? [] : [file],
            slots: asked,
            turn: turn.turn,
            ...(invited === undefined ? {} : { invites: true }),
          },
        ),
      },
    ],
  })
  if (!said.remarked) return yield* new Refusal({ message: "Not said: this turn was stopped." })
  if (said.parcel !== null)
    courier.send({
      ...said.parcel,
      turn: turn.turn,
      part,
      door: door.id,
      thread: turn.thread,
      agent: turn.agent,
      signature,
      platformId: null,
      text,
      ...(file === undefined ? {} : { file }),
    })
})
