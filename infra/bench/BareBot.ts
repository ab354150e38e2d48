/**
 * The bot that Troupe is measured against: the smallest honest one on grammY and the Anthropic SDK, as their own pages show it.
 * It streams, as the SDK advises; it keeps a chat's messages in order and its history in memory; it answers chats beside each
 * other. It loses everything when it stops, and that is the point.
 */
import Anthropic from "@anthropic-ai/sdk"
import type { MessageParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages"
import { Bot } from "grammy"
import { serve } from "./Child.ts"

const { BOT_TOKEN = "", API_ROOT = "", ANTHROPIC_BASE_URL = "" } = process.env
const client = new Anthropic({ apiKey: "test-key", baseURL: ANTHROPIC_BASE_URL })
const bot = new Bot(BOT_TOKEN, { client: { apiRoot: API_ROOT } })

const histories = new Map<number, Array<MessageParam>>()
const turns = new Map<number, Promise<void>>()

const answer = async (history: Array<MessageParam>): Promise<string> => {
  for (;;) {
    const message = await client.messages
      .stream({
        model: "claude-sonnet-5-5",
        max_tokens: 8_000,
        system: "You are a helpful bot.",
        tools: [{ name: "noop", description: "Does nothing.", input_schema: { type: "object" } }],
        messages: history,
      })
      .finalMessage()
    history.push({ role: "assistant", content: message.content })
    if (message.stop_reason !== "tool_use")
      return message.content.map((b) => (b.type === "text" ? b.text : "")).join("")
    const results = message.content.flatMap((block): Array<ToolResultBlockParam> =>
      block.type === "tool_use" ? [{ type: "tool_result", tool_use_id: block.id, content: "done" }] : [],
    )
    history.push({ role: "user", content: results })
  }
}

bot.on("message:text", (ctx) => {
  const { id } = ctx.chat
  const history = histories.get(id) ?? []
  histories.set(id, history)
  const turn = async () => {
    history.push({ role: "user", content: ctx.message.text })
    await ctx.reply(await answer(history))
  }
  // Not awaited: grammY would take the next update only after this one was answered.
  turns.set(id, (turns.get(id) ?? Promise.resolve()).then(turn).catch(console.error))
})

void bot.start()
const methods = { rooms: () => histories.size }
export type BareBot = typeof methods
serve(methods)
