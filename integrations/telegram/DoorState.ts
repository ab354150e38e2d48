/** What a person is told about the integration. A life cycle in one field; messages are whole sentences. */
import type { StoreError } from "../../runtime/index.ts"
import type { TelegramError } from "./TelegramError.ts"

export type DoorState =
  | { readonly _tag: "connecting" }
  /** `account` is the bot's @name; `note` is something a person may want to change. */
  | { readonly _tag: "connected"; readonly account: string; readonly note: string | null }
  /** Goes away by itself; tried again. */
  | { readonly _tag: "failing"; readonly message: string }
  /** A person must do something. */
  | { readonly _tag: "refused"; readonly message: string }

/** `name` is the integration's name in troupe.yaml. */
export const stateOf = (name: string, root: string, error: TelegramError | StoreError): DoorState => {
  if (error._tag === "StoreError")
    return {
      _tag: "failing",
      message: "The database does not take messages, so they are left with Telegram until it does.",
    }
  switch (error.code) {
    case 401:
    case 404:
      return {
        _tag: "refused",
        message: `Telegram does not know the token of "${name}": copy it again from @BotFather and restart.`,
      }
    case 409:
      return {
        _tag: "failing",
        message: `Another program takes the messages of the bot of "${name}": stop it, or give this one a bot of its own.`,
      }
    case 429:
      return {
        _tag: "failing",
        message: "Telegram asks to slow down; messages are taken again after its pause.",
      }
    case 0:
      return {
        _tag: "failing",
        message: `Telegram cannot be reached at ${root} (${error.message}); trying again.`,
      }
    default:
      return {
        _tag: "failing",
        message: `Telegram refused ${error.method}: ${error.message} (${error.code}); trying again.`,
      }
  }
}

/** How long to wait after the n-th failure in a row. */
export const pauseOf = (error: TelegramError | StoreError, failures: number): number => {
  if (error._tag === "TelegramError" && error.retryAfterSeconds !== null)
    return error.retryAfterSeconds * 1000
  if (error._tag === "TelegramError" && (error.code === 401 || error.code === 404)) return 60_000
  return Math.min(250 * 2 ** Math.min(failures - 1, 10), error._tag === "StoreError" ? 2_000 : 15_000)
}
