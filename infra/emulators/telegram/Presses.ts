/** Buttons that people pressed, until the bot answers; a question it never saw, or that is answered, takes no answer. */
import { ApiError } from "./ApiError.ts"
import type { Button, Seen } from "./World.ts"

const maxData = 64
const maxToast = 200

export class Presses {
  private readonly waiting = new Map<string, (toast: string) => void>()
  private next = 1

  open(done: (toast: string) => void): string {
    const id = `press${this.next++}`
    this.waiting.set(id, done)
    return id
  }

  answer(id: unknown, text: unknown): void {
    const done = this.waiting.get(String(id))
    if (done === undefined)
      throw new ApiError(
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
      )
    const toast = text === undefined ? "" : String(text)
    if (toast.length > maxToast) throw new ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    this.waiting.delete(String(id))
    done(toast)
  }
}

/** The inline keyboard of a call, checked as Telegram checks it. */
export const keyboardOf = (markup: unknown): Seen["buttons"] => {
  if (markup === undefined) return []
  const rows = (markup as { readonly inline_keyboard?: unknown }).inline_keyboard
  if (!Array.isArray(rows)) throw new ApiError(400, "Bad Request: object expected as reply markup")
  return (rows as ReadonlyArray<ReadonlyArray<Partial<Button>>>).map((row) =>
    row.map(({ text, callback_data: data }) => {
      if (typeof text !== "string" || text === "")
        throw new ApiError(
          400,
          'Bad Request: can\'t parse inline keyboard button: Field "text" must be of type String',
        )
      if (typeof data !== "string")
        throw new ApiError(
          400,
          "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        )
      if (data === "" || Buffer.byteLength(data) > maxData)
        throw new ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
      return { text, callback_data: data }
    }),
  )
}
