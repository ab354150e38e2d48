/**
 * Asks another agent of the room for help, in front of everybody, and goes on. The invited acts for the same person (P13); what
 * comes of it, also that nothing does, is told to the inviter: it joins what it does then, or starts its next turn. Known by
 * its call, so said once (P8), however often it is repeated.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mostHops, Roster, type Courier, type Journal, type Sql } from "../../../runtime/index.ts"
import { hasSpoken, sayInRoom } from "./SayInRoom.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import { TurnContext } from "./Tool.ts"

const Input = Schema.Struct({
  agent: Schema.String.annotate({ description: "The handle of an agent in this room, without @." }),
  request: Schema.String.check(Schema.isMaxLength(3000)).annotate({
    description:
      "What you need from them, complete in itself: they see the room, but not your files or your shell.",
  }),
})

export const inviteTool = Effect.gen(function* () {
  const roster = yield* Roster
  const services = yield* Effect.context<Sql | Journal | Courier>()
  return schemaTool({
    name: "invite",
    description:
      "Asks another agent in this room to help with a part of your work. You go on meanwhile; their answer comes to you as a message. " +
      "To hand the whole work over instead, end your turn with a message that names them.",
    input: Input,
    idempotent: true,
    parallel: false,
    summary: ({ agent, request }) => `@${agent.replace(/^@/, "")} ${request}`,
    run: ({ agent: handle, request }) =>
      Effect.gen(function* () {
        const turn = yield* TurnContext
        const door = roster.now().doors.get(turn.door)
        const name = handle.replace(/^@/, "").toLowerCase()
        const members = door?.members.map((m) => m.agent) ?? []
        const invited = members.find((m) => m.name.toLowerCase() === name && m.id !== turn.agent)
        if (door === undefined || invited === undefined)
          return yield* new Refusal({
            message: `Nobody here is called @${name}. In this room: ${
              members
                .filter((m) => m.id !== turn.agent)
                .map((m) => `@${m.name}`)
                .join(", ") || "nobody else"
            }.`,
          })
        if (turn.hop + 1 >= mostHops)
          return yield* new Refusal({
            message: `Agents have asked each other ${mostHops} times since a person spoke. Tell the people what you would ask @${invited.name}, and end your turn.`,
          })
        const told = done(
          `Asked @${invited.name}. The answer comes as a message; you need not wait for it in this turn.`,
        )
        if (yield* hasSpoken) return told
        yield* sayInRoom(roster.ws, door, { text: `@${invited.name} ${request}`, invited: invited.id })
        return told
      }).pipe(Effect.provideContext(services)),
  })
})
