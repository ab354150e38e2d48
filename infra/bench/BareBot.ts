/**
 * The bot that Troupe is measured against: the smallest honest one on grammY and the Anthropic SDK, as their own pages show it.
 * It streams, as the SDK advises; it keeps a chat's messages in order and its history in memory; it answers chats beside each
 * other. It loses everything when it stops, and that is the point.
 */
import { exec } from "node:child_process"
import { promisify } from "node:util"
import Anthropic from "@anthropic-ai/sdk"
import type { MessageParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages"
import { Bot } from "grammy"
import { now, serve } from "./Child.ts"

const { BOT_TOKEN = "", API_ROOT = "", ANTHROPIC_BASE_URL = "" } = process.env
const client = new Anthropic({ apiKey: "test-key", baseURL: ANTHROPIC_BASE_URL })
const bot = new Bot(BOT_TOKEN, { client: { apiRoot: API_ROOT } })

const run = promisify(exec)
const histories = new Map<number, Array<MessageParam>>()
const turns = new Map<number, Promise<void>>()

/** Milliseconds that each command took. */
const commands: Array<number> = []
const shell = async (input: unknown): Promise<string> => {
  const from = now()
  const { stdout } = await run((input as { readonly command: string }).command)
  commands.push(now() - from)
  return stdout
}

const answer = async (history: Array<MessageParam>): Promise<string> => {
  for (;;) {
    const message = await client.messages
      .stream({
        model: "claude-sonnet-5-5",
        max_tokens: 8_000,
        system: "You are a helpful bot.",
        tools: [{ name: "shell", description: "Runs a command.", input_schema: { type: "object" } }],
        messages: history,
      })
      .finalMessage()
    history.push({ role: "assistant", content: message.content })
    if (message.stop_reason !== "tool_use")
      return message.content.map((b) => (b.type === "text" ? b.text : "")).join("")
    const results: Array<ToolResultBlockParam> = []
    for (const block of message.content)
      if (block.type === "tool_use")
        results.push({ type: "tool_result", tool_use_id: block.id, content: await shell(block.input) })
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
const methods = { rooms: () => histories.size, commands: () => commands }
export type BareBot = typeof methods
serve(methods)
