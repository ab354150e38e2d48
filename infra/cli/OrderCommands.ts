/** Orders are words in a room: `wait`, `continue`, `approve`, `refuse` and `spend` say them, and tell what came of it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { randomUUID } from "node:crypto"
import { call } from "./Client.ts"
import { json, print } from "./Output.ts"
import { harmless } from "./Paint.ts"
import { findRoom } from "./Rooms.ts"

const room = Argument.String("room").pipe(Argument.withDescription("A room's id or title, or last"))
const agent = Flag.String("agent").pipe(
  Flag.withDescription("Only this agent, where several are at work"),
  Flag.optional,
)

const give = Effect.fnUntraced(function* (
  flags: { readonly room: string; readonly agent: Option.Option<string>; readonly json: boolean },
  words: string,
) {
  const { id } = yield* findRoom(flags.room)
  const to = Option.match(flags.agent, { onNone: () => "", onSome: (name) => `@${name.replace(/^@/, "")} ` })
  const answer = yield* call("POST /api/rooms/:id/say", {
    params: { id },
    body: { id: randomUUID(), text: `${to}${words}` },
  })
  yield* print(flags.json, { room: id, ...answer }, [
    answer.outcome === null ? `Said in ${id}.` : sentence(harmless(answer.outcome)),
  ])
})

/** Outcomes are the reasons of the room's log: "nobody asked for permission". */
const sentence = (text: string) =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`

const order = (words: string, description: string) =>
  Command.make(words, { room, agent, json }, (flags) => give(flags, words)).pipe(
    Command.withDescription(description),
  )

const spend = Command.make("spend", { room, dollars: Argument.Finite("dollars"), agent, json }, (flags) =>
  give(flags, `spend $${flags.dollars} more`),
).pipe(Command.withDescription("Grant money to work that rests because its budget is used up"))

export const orders = [
  order("wait", "Let the work in a room rest at its next boundary"),
  order("continue", "Go on with work that rests or was stopped"),
  order("approve", "Allow what an agent asks for"),
  order("refuse", "Refuse what an agent asks for; the work goes on without it"),
  spend,
] as const
