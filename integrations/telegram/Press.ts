/**
 * A pressed button: its presser says the order it stands for (P13). They must be on the allow-list like anybody who speaks;
 * a stranger is told so, and nothing else happens.
 */
import * as Option from "effect/Option"
import { allows } from "./AllowList.ts"
import { orderOf, wordsOf } from "./Buttons.ts"
import { channelOf, silent, unheard, type NormalizeContext, type Normalized } from "./Normalized.ts"
import { decodePress } from "./Update.ts"
import { fullName, oneLine } from "./Words.ts"

export const normalizePress = (
  updateId: number,
  update: Readonly<Record<string, unknown>>,
  context: NormalizeContext,
): Normalized | undefined => {
  const decoded = decodePress(update["callback_query"])
  if (Option.isNone(decoded)) return undefined
  const { id, from, message, data } = decoded.value
  const chat = message?.chat.id ?? from.id
  const nothing = (why: string, toast: string): Normalized => ({
    ...silent(context, updateId, chat, unheard(updateId, "callback_query", chat, from.id, why)),
    press: { id, toast },
  })
  if (from.is_bot === true || !allows(context.allow, chat, from.id))
    return {
      ...nothing("not on the allow-list", "You are not on the list of people this bot listens to."),
      stranger: from.is_bot === true ? null : { id: from.id, name: fullName(from), direct: false, update },
    }
  const order = data === undefined ? undefined : orderOf(data)
  if (message === undefined || order === undefined)
    return nothing("no order of ours", "This button means nothing any more.")
  const thread = message.is_topic_message === true ? message.message_thread_id : undefined
  const title = oneLine(message.chat.title ?? fullName(from))
  const said = silent(context, updateId, chat, {
    update_id: updateId,
    callback_query: { id, data, from: from.id },
  })
  return {
    ...said,
    inbound: {
      ...said.inbound,
      message: {
        channel: channelOf(chat, thread),
        title,
        // The second part is the message that is answered.
        sourceKey: `tg:${message.message_id}:press-${id}`,
        author: { door: context.door, id: String(from.id), name: fullName(from), kind: "person" },
        text: wordsOf(order),
        attachments: [],
        mentions: [],
        direct: message.chat.type === "private",
        replyTo: { platformId: String(message.message_id), sourceKey: `tg:${message.message_id}:0` },
        order,
      },
    },
    press: { id, toast: null },
  }
}
