/**
 * Orders: words that steer work instead of asking for it. `stop`, `wait` and `continue` go to the working agents of the room (or
 * to those that are named), `approve` and `refuse` answer what an agent asks for, `spend` grants money. They are recognized
 * when they are all that was said; a button says the same by `turn` and `n` (the step that asks). Pure.
 */
import * as Schema from "effect/Schema"
import { TurnId } from "./Id.ts"

export const Order = Schema.Struct({
  verb: Schema.Literals(["stop", "wait", "continue", "approve", "refuse", "spend"]),
  /** Of a button: what it stands below. */
  turn: Schema.optionalKey(TurnId),
  n: Schema.optionalKey(Schema.Int),
  /** Of `spend`: dollars. */
  dollars: Schema.optionalKey(Schema.Finite),
})
export type Order = typeof Order.Type

/** How words reach an agent that is at work: see docs/semantics.md. */
export const Mode = Schema.Literals(["join", "queue", "interrupt"])
export type Mode = typeof Mode.Type

/** The slot of an order: the runtime itself is asked. */
export const orderSlot = "!"

const words: Readonly<Record<Exclude<Order["verb"], "spend">, ReadonlyArray<string>>> = {
  stop: ["stop", "stop it", "please stop", "stop please", "halt", "cancel", "abort"],
  wait: ["wait", "please wait", "wait please", "hold", "hold on", "pause"],
  continue: ["continue", "please continue", "continue please", "go on", "carry on", "resume"],
  approve: ["approve", "approved", "allow"],
  refuse: ["refuse", "deny", "reject"],
}
const verbs = new Map(
  Object.entries(words).flatMap(([verb, all]) =>
    all.map((said) => [said, verb as keyof typeof words] as const),
  ),
)

/** The order that `text` is, when it is nothing else: `stop`, `/stop@bot`, `@ada wait!`, `spend $2 more`. */
export const orderIn = (text: string): Order | undefined => {
  if (text.length > 200) return undefined
  const said = text
    .toLowerCase()
    .replace(/^\s*\/([a-z]+)(?:@\w+)?/, "$1")
    .replaceAll(/(?<![\p{L}\p{N}_.])@[a-z][a-z0-9_-]*/gu, " ")
    .replaceAll(/[,.!:;]+(?=\s|$)/g, " ")
    .trim()
    .replaceAll(/\s+/g, " ")
  const verb = verbs.get(said)
  if (verb !== undefined) return { verb }
  const money = /^spend \$?(\d{1,4}(?:\.\d{1,2})?)(?: more)?$/.exec(said)
  const dollars = Number(money?.[1])
  return dollars > 0 ? { verb: "spend", dollars } : undefined
}

/** `/queue words` and `/interrupt words`: how these words want to reach an agent at work. */
export const modeIn = (text: string): Mode | undefined => {
  const mode = /^\s*\/(join|queue|interrupt)(?:@\w+)?\s+\S/i.exec(text)?.[1]
  return mode?.toLowerCase() as Mode | undefined
}
