/**
 * What can be pressed below words, as Telegram's inline keyboard, and back. A button carries its whole order in at most 64 bytes
 * (`approve:<turn>:<n>`); who may give it is decided when it is pressed, by the presser's number. Pure.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Order, type Action } from "../../runtime/index.ts"

export interface Keyboard {
  readonly inline_keyboard: ReadonlyArray<
    ReadonlyArray<{ readonly text: string; readonly callback_data: string }>
  >
}

/** All in one row; undefined where there is nothing to press. */
export const keyboard = (actions: ReadonlyArray<Action>): Keyboard | undefined =>
  actions.length === 0
    ? undefined
    : { inline_keyboard: [actions.map(({ label, order }) => ({ text: label, callback_data: data(order) }))] }

const data = ({ verb, turn, n, dollars }: Order): string =>
  [verb, turn ?? "", n ?? "", dollars ?? ""].join(":").replace(/:+$/, "")

/** The order that a button stands for; a client may send anything. */
export const orderOf = (pressed: string): Order | undefined => {
  const found = /^([a-z]+)(?::([0-9a-z]*)(?::(\d{0,9})(?::(\d{1,4}(?:\.\d{1,2})?))?)?)?$/.exec(pressed)
  if (found === null) return undefined
  const [, verb, turn = "", n = "", dollars = ""] = found
  return Option.getOrUndefined(
    decodeOrder({
      verb,
      ...(turn === "" ? {} : { turn }),
      ...(n === "" ? {} : { n: Number(n) }),
      ...(Number(dollars) > 0 ? { dollars: Number(dollars) } : {}),
    }),
  )
}

const decodeOrder = Schema.decodeUnknownOption(Order)

/** What a press says in the room. */
export const wordsOf = ({ verb, dollars }: Order): string =>
  verb === "spend" ? `spend $${(dollars ?? 1).toFixed(2)} more` : verb
