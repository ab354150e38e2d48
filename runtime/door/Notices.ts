/**
 * What Troupe itself says behind a door: a refusal, the answer to a command. No agent says it, no room has it in its log, and no
 * model is called. It goes the way of all words, by the outbox, and is known by its id: said once (P8).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AgentId, DoorId, ThreadId, TurnId } from "../room/Id.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { Courier } from "./Courier.ts"

export interface Notice {
  readonly id: string
  readonly door: DoorId
  readonly channel: string
  readonly replyTo: string | null
  readonly text: string
}

export class Notices extends Context.Service<
  Notices,
  { readonly say: (notice: Notice) => Effect.Effect<void, StoreError> }
>()("troupe/door/Notices") {
  static readonly layer = Layer.effect(
    Notices,
    Effect.gen(function* () {
      const sql = yield* Sql
      const courier = yield* Courier
      return Notices.of({
        say: Effect.fnUntraced(function* ({ id, door, channel, replyTo, text }) {
          const rows = yield* sql.cold(sayText, [id, door, channel, replyTo, text])
          if (rows.length === 0) return
          courier.send({
            turn: id as TurnId,
            part: 0,
            door,
            thread: "" as ThreadId,
            agent: "troupe" as AgentId,
            channel,
            replyTo,
            signature: "",
            platformId: null,
            text,
          })
        }),
      })
    }),
  )
}

const sayText = `
insert into outbox (turn, part, door, thread, agent, channel, reply_to, state, text, fence)
values ($1, 0, $2, '', 'troupe', $3, $4, 'creating', $5, coalesce((select fence from lease where name = 'door:' || $2), 0))
on conflict do nothing returning turn`
