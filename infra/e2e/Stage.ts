/**
 * A whole installation for a test: the runtime as a process of its own, people on an emulated Telegram, an emulated model. What
 * a test sees is what they see. Postgres and NATS are the test run's, or embedded in the home.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { commandOf } from "../embedded/Processes.ts"
import { AnthropicEmulator, type EmulatorOptions } from "../emulators/anthropic/index.ts"
import {
  TelegramEmulator,
  type BotSpec,
  type Change,
  type Chat,
  type Seen,
  type User,
} from "../emulators/telegram/index.ts"
import { testDatabase, testDirectory, testNats } from "../testing/index.ts"
import { answerAll, judge, question, type Verdict } from "./Questions.ts"
import { RuntimeProcess } from "./RuntimeProcess.ts"

export interface StageOptions {
  readonly bots?: ReadonlyArray<BotSpec>
  readonly agents?: ReadonlyArray<{
    readonly name: string
    readonly kind?: "outside"
    readonly interests?: ReadonlyArray<string>
    readonly permissions?: Readonly<Record<string, string>>
    readonly integrations?: ReadonlyArray<string>
  }>
  /** Of the telegram blocks of troupe.yaml, one a bot, over what every test has. */
  readonly telegram?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly model?: EmulatorOptions
  /** Postgres and NATS of the runtime's own. */
  readonly embedded?: boolean
  readonly env?: Readonly<Record<string, string>>
}

const oneBot: ReadonlyArray<BotSpec> = [{ token: "1000:emulated", username: "troupe_bot" }]

export const stage = async (options: StageOptions = {}) => {
  const scope = await Effect.runPromise(Scope.make())
  const open = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
    Effect.runPromise(effect.pipe(Effect.provideService(Scope.Scope, scope)))
  const bots = options.bots ?? oneBot
  const tg = await open(TelegramEmulator.start({ bots }))
  const ai = await open(
    AnthropicEmulator.start({ respond: (request) => answerAll(request), ...options.model }),
  )

  const integrations = bots.map((bot, i) => ({
    name: bot.username.replaceAll("_", "-"),
    type: "telegram",
    token: bot.token,
    apiRoot: tg.url,
    allow: { users: ["*"] },
    ...options.telegram?.[i],
  }))
  const agents = (options.agents ?? [{ name: "ada" }]).map((a) => ({
    title: "Engineer",
    ...("kind" in a ? {} : { soul: "You test." }),
    ...a,
  }))
  const config = { agents, integrations, budgets: { perRoot: 10, perAgentPerDay: 1000, perMonth: 100_000 } }

  const nats = testNats()
  const servers: Record<string, string> =
    options.embedded === true
      ? {}
      : {
          DATABASE_URL: await testDatabase(),
          NATS_URL: nats.url.replace("//", `//${nats.user}:${nats.password}@`),
        }
  const env = {
    ENCRYPTION_KEY: "ab".repeat(32),
    ANTHROPIC_API_KEY: "test-key",
    ANTHROPIC_BASE_URL: ai.url,
    ...servers,
    ...options.env,
  }
  const processes: Array<RuntimeProcess> = []
  /** A process with a home of its own; it is not started yet. A variable that is set to nothing is not set. */
  const process = (over: Readonly<Record<string, string>> = {}, home = testDirectory()) => {
    // JSON is YAML too.
    writeFileSync(join(home, "troupe.yaml"), JSON.stringify(config))
    const made = new RuntimeProcess(home, { ...env, ...over })
    processes.push(made)
    return made
  }
  const runtime = process()

  let people = 0
  const chats = new Map<Chat, Array<string>>()
  const private_ = (): { readonly chat: Chat; readonly person: User } => {
    const person = tg.user(++people, `Person ${people}`)
    return { chat: tg.privateChat(person, tg.bot(bots[0]!.token)), person }
  }
  /** A group with a few people; all of it must be answered. */
  const group = (...names: ReadonlyArray<string>) => ({
    chat: tg.group(names.join(" and ")),
    people: names.map((name) => tg.user(++people, name)),
  })
  /** A person asks something that must be answered. */
  const ask = (chat: Chat, more = "", from: User = chat.person!): string => {
    const q = question()
    chats.set(chat, [...(chats.get(chat) ?? []), q])
    tg.say(chat, from, `${more}${q}`)
    return q
  }
  const verdict = (chat: Chat): Verdict => judge(tg.transcript(chat), chats.get(chat) ?? [])

  const until = async (chat: Chat, predicate: (seen: ReadonlyArray<Seen>) => boolean, ms = 15_000) => {
    const exit = await Effect.runPromiseExit(tg.waitFor(chat, predicate, ms))
    if (Exit.isSuccess(exit)) return exit.value
    const shown = tg
      .transcript(chat)
      .map(
        (m) =>
          `${m.id} ${m.from.name}: ${m.text.slice(0, 200)} (before: ${m.edits.join(" | ").slice(0, 200)})`,
      )
    throw runtime.failure(
      `did not get it said; refusals: ${ai.refusals().join("; ")}; the chat:\n${shown.join("\n")}\n`,
    )
  }
  /** Resolves when every question asked in the chat has a finished answer. */
  const answered = (chat: Chat, ms?: number) =>
    until(chat, (seen) => judge(seen, chats.get(chat) ?? []).lost.length === 0, ms)

  return {
    /** Absent when it is embedded. */
    database: servers["DATABASE_URL"],
    /** What its processes have in their environment. */
    env,
    tg,
    ai,
    runtime,
    process,
    private: private_,
    group,
    ask,
    chats,
    verdict,
    until,
    answered,
    /** kill -9 the moment people see this. */
    killWhen: (seen: (change: Change) => boolean) => {
      const stop = tg.onMessage((change) => {
        if (!seen(change)) return
        stop()
        runtime.signal("SIGKILL")
      })
    },
    /** Resolves when a command like this runs in a sandbox. */
    shellRuns: async (command: string) => {
      const deadline = Date.now() + 15_000
      while (!commandRuns(command)) {
        if (Date.now() > deadline) throw runtime.failure(`did not run ${command}`)
        await setTimeout(20)
      }
    },
    dispose: async () => {
      for (const one of processes) {
        if (one.pid !== 0) await one.killEverything()
      }
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}

export type Stage = Awaited<ReturnType<typeof stage>>

const commandRuns = (command: string) =>
  readdirSync("/proc").some((name) => /^\d+$/.test(name) && commandOf(Number(name)) === command)
