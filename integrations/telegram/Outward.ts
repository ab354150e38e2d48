/**
 * Says and edits, one call each (P8), with entities and without link previews: a preview would have Telegram fetch an
 * address that somebody may have talked an agent into. Retrying, order and flood state are the Courier's.
 *
 * A second call is made only where the first certainly did nothing: a topic that is gone, entities that were refused,
 * a group that moved.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { SendError, type DoorId, type Outward, type Say, type StoreError } from "../../runtime/index.ts"
import { keyboard } from "./Buttons.ts"
import { format } from "./Entities.ts"
import { fileWords, sendFile, type ReadBlob } from "./SendFile.ts"
import { maxSignature, maxText, split } from "./Split.ts"
import type { TelegramApi } from "./TelegramApi.ts"
import { verdictOf } from "./TelegramError.ts"
import type { TelegramError } from "./TelegramError.ts"
import type { Formatted } from "./Writer.ts"

const privateEveryMs = 1_000
/** Groups allow 20 messages a minute, edits included. */
const groupEveryMs = 3_000

export interface OutwardServices {
  readonly migrated: (from: number, to: number) => Effect.Effect<void>
  readonly readBlob: ReadBlob
}

export const makeOutward = (
  door: DoorId,
  api: TelegramApi,
  { migrated, readBlob }: OutwardServices,
): Outward => {
  const moved = new Map<number, number>()
  const blockedUntil = new Map<number, number>()

  /** A second chat that is told to wait while the first still waits: the whole account is. */
  const floods = Effect.fnUntraced(function* (chat: number, afterMs: number) {
    const now = yield* Clock.currentTimeMillis
    for (const [other, until] of blockedUntil) if (until <= now) blockedUntil.delete(other)
    const everywhere = [...blockedUntil.keys()].some((other) => other !== chat)
    blockedUntil.set(chat, now + afterMs)
    return everywhere
  })

  const send = <A>(
    say: Say,
    call: (
      chat: number,
      thread: number | undefined,
      words: Formatted,
    ) => Effect.Effect<A, TelegramError | StoreError>,
    unchanged: A | undefined,
  ): Effect.Effect<A, SendError> => {
    const attempt = (
      chat: number,
      thread: number | undefined,
      words: Formatted,
      again: number,
    ): Effect.Effect<A, SendError> =>
      Effect.catch(call(chat, thread, words), (error) => {
        if (error._tag === "StoreError")
          return Effect.fail(
            new SendError({
              verdict: "retry",
              afterMs: 1_000,
              everywhere: false,
              message: error.message,
              cause: error,
            }),
          )
        const verdict = verdictOf(error)
        const flood = error.code === 429
        const fail = (verdict: SendError["verdict"], afterMs = 0, everywhere = false) =>
          Effect.fail(
            new SendError({ verdict, afterMs, everywhere, flood, message: sentence(error), cause: error }),
          )
        switch (verdict._tag) {
          case "done":
            return unchanged === undefined ? fail("gone") : Effect.succeed(unchanged)
          case "flat":
            return again > 0 && thread !== undefined
              ? attempt(chat, undefined, words, again - 1)
              : fail("gone")
          case "plain":
            return again > 0 && words.entities.length > 0
              ? attempt(chat, thread, { text: words.text, entities: [] }, again - 1)
              : fail("gone")
          case "migrated":
            moved.set(chat, verdict.to)
            return Effect.andThen(
              migrated(chat, verdict.to),
              again > 0 ? attempt(verdict.to, thread, words, again - 1) : fail("retry", 1_000),
            )
          case "retry":
            return error.code === 429
              ? Effect.flatMap(floods(chat, verdict.afterMs), (all) => fail("retry", verdict.afterMs, all))
              : fail("retry", verdict.afterMs, verdict.account)
          default:
            return fail(verdict._tag)
        }
      })
    const { chat, thread } = addressOf(say.channel)
    return attempt(moved.get(chat) ?? chat, thread, worded(say), 2)
  }

  const editText = (say: Say & { readonly platformId: string }) =>
    send(
      say,
      (chat, _thread, { text, entities }) =>
        Effect.as(
          api.call("editMessageText", {
            chat_id: chat,
            message_id: Number(say.platformId),
            text,
            entities: [...entities] as never,
            link_preview_options: { is_disabled: true },
            ...buttons(say),
          }),
          true,
        ),
      true,
    )

  return {
    door,
    create: (say) =>
      send(
        say,
        (chat, thread, { text, entities }) =>
          Effect.map(
            api.call("sendMessage", {
              chat_id: chat,
              text,
              entities: [...entities] as never,
              link_preview_options: { is_disabled: true },
              ...buttons(say),
              ...(thread === undefined ? {} : { message_thread_id: thread }),
              ...(say.replyTo === null
                ? {}
                : {
                    reply_parameters: { message_id: Number(say.replyTo), allow_sending_without_reply: true },
                  }),
            }),
            (message) => String(message.message_id),
          ),
        undefined,
      ),
    edit: (say) =>
      say.file === undefined
        ? editText(say)
        : Effect.catchIf(
            send(say, (chat, _thread, words) => sendFile(api, readBlob, say, chat, words), true),
            ({ verdict }) => verdict === "gone",
            ({ message }) => Effect.succeed(message),
          ).pipe(
            Effect.flatMap((sent) =>
              sent === true
                ? Effect.void
                : editText({ ...say, text: fileWords(say, sent ?? "it is not kept any more") }),
            ),
          ),
    buttons: true,
    split,
    progressEvery: (channel) => (channel.startsWith("-") ? groupEveryMs : privateEveryMs),
  }
}

/** Whatever is said or edited without a keyboard has none. */
const buttons = ({ actions = [] }: Say) => {
  const markup = keyboard(actions)
  return markup === undefined ? {} : { reply_markup: markup as never }
}

const addressOf = (channel: string) => {
  const [chat = "", thread] = channel.split("/")
  return { chat: Number(chat), thread: thread === undefined ? undefined : Number(thread) }
}

/** The name in bold on a line of its own, then the text; what is too long for one message is shown up to there. */
function worded({ text: given, signature, file }: Say): Formatted {
  // A file shows its name by itself.
  const text = given === file?.name ? "" : given
  if (text === "" && signature === "" && file !== undefined) return { text: "", entities: [] }
  const whole = format(text)
  const room = maxText - (signature === "" ? 0 : maxSignature)
  const fitting = whole.text.length <= room ? whole : format(split(text)[0] ?? "")
  const words = fitting.text.trim() === "" ? { text: file === undefined ? "…" : "", entities: [] } : fitting
  if (signature === "") return words
  const name = signature.slice(0, maxSignature - 2).toWellFormed()
  const shift = name.length + 1
  return {
    text: `${name}\n${words.text}`.trimEnd(),
    entities: [
      { type: "bold", offset: 0, length: name.length },
      ...words.entities.map((entity) => ({ ...entity, offset: entity.offset + shift })),
    ].slice(0, 100) as Formatted["entities"],
  }
}

const sentence = (error: TelegramError): string =>
  error.code === 0
    ? `Telegram could not be reached for ${error.method}: ${error.message}.`
    : `Telegram refused ${error.method}: ${error.message} (${error.code}).`
