/**
 * The scene: a Telegram group with two agents, a bug report, a file from the sandbox, a second opinion, words that join the work,
 * a stop, and a runtime that is killed in the middle of a command. Everything is real but the model (rehearsal) and Telegram (our emulator).
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RuntimeProcess } from "../e2e/RuntimeProcess.ts"
import { TelegramEmulator, type Seen } from "../emulators/telegram/index.ts"
import { openBus } from "./BusReader.ts"
import { faultsIn, isFinal } from "./Faults.ts"

export interface Played {
  readonly transcript: ReadonlyArray<Seen>
  readonly subjects: ReadonlyArray<string>
  /** What is not as it should be; empty when all is well. */
  readonly faults: ReadonlyArray<string>
}

const stopped = /^ada\nStopped\. /

const company = (apiRoot: string) => ({
  agents: [
    {
      name: "ada",
      title: "Engineer",
      soul: "You build things and show your receipts.",
      integrations: ["team-chat"],
    },
    { name: "bo", title: "Reviewer", soul: "You read closely.", integrations: ["team-chat"] },
  ],
  integrations: [
    {
      name: "team-chat",
      type: "telegram",
      token: "1000:emulated",
      apiRoot,
      allow: { users: ["*"], chats: [] },
    },
  ],
})

export const play = (note: (line: string) => void) =>
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-demo-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 })),
    )
    const tg = yield* TelegramEmulator.start({ bots: [{ token: "1000:emulated", username: "troupe_bot" }] })
    // JSON is YAML too.
    writeFileSync(join(home, "troupe.yaml"), JSON.stringify(company(tg.url)))
    const runtime = yield* Effect.acquireRelease(
      Effect.sync(() => new RuntimeProcess(home, {})),
      (process) => Effect.promise(() => process.kill("SIGTERM")).pipe(Effect.ignore),
    )
    note("Starting Postgres, NATS, the sandbox server and two agents on an empty directory ...")
    yield* Effect.promise(() => runtime.start())
    /** Waits until so many of a kind passed on the bus; answers with everything that passed. */
    const onTheBus = (kind: string, times: number) =>
      Effect.gen(function* () {
        const read = yield* openBus(join(home, "troupe/nats/inspector.json"))
        for (;;) {
          const subjects = yield* read
          if (subjects.filter((s) => s.endsWith(`.${kind}`)).length >= times) return subjects
          yield* Effect.sleep("20 millis")
        }
      }).pipe(
        Effect.scoped,
        Effect.timeoutOrElse({
          duration: "15 seconds",
          orElse: () => Effect.die(new Error(`The bus did not carry ${times} of ${kind} within 15 seconds.`)),
        }),
      )

    const group = tg.group("Launch")
    const eva = tg.user(1, "Eva")
    const max = tg.user(2, "Max")
    /** The answer to a message, once it is final. */
    const answerTo = (message: number) =>
      Effect.map(
        tg.waitFor(group, (seen) => seen.some((m) => m.replyTo === message && isFinal(m.text)), 15_000),
        (seen) => seen.findLast((m) => m.replyTo === message)!,
      )

    note("Eva reports a bug and asks ada to look.")
    const bug = tg.say(group, eva, "@ada run: echo 'suite: 41 passed, 1 failed' | tee report.txt && false")
    tg.say(group, max, "I can look at it after lunch.")
    yield* answerTo(bug)

    note("She wants the report, and gets the file from ada's sandbox.")
    const share = tg.say(group, eva, "@ada share: report.txt")
    yield* answerTo(share)

    note("Eva asks bo for a second pair of eyes.")
    const review = tg.say(group, eva, "@bo is one failure of 42 a reason to wait?")
    yield* answerTo(review)

    note("A longer command runs; Eva steers: what she adds joins the work.")
    const steered = tg.say(group, eva, "@ada run: sleep 1; echo first")
    yield* onTheBus("tool", 5)
    tg.say(group, eva, "@ada and say when it is done")
    yield* answerTo(steered)

    note("Another one was a mistake: Max says stop, and it stops.")
    const mistake = tg.say(group, eva, "@ada run: sleep 60")
    yield* onTheBus("tool", 7)
    tg.say(group, max, "stop")
    yield* tg.waitFor(
      group,
      (seen) => seen.some((m) => m.replyTo === mistake && stopped.test(m.text)),
      15_000,
    )

    note("Eva starts a longer command, and the whole runtime is killed with SIGKILL in the middle of it ...")
    const long = tg.say(group, eva, "@ada run: sleep 1; echo finished")
    yield* tg.waitFor(group, (seen) => seen.some((m) => m.replyTo === long), 15_000)
    yield* onTheBus("tool", 8)
    yield* Effect.promise(() => runtime.kill("SIGKILL"))
    note("... and started again on the same directory.")
    yield* Effect.promise(() => runtime.start())
    yield* answerTo(long)
    // The last words on the bus come a moment after the chat has them.
    const subjects = yield* onTheBus("delivery", 7)

    const transcript = tg.transcript(group)
    const faults = faultsIn(transcript, [
      { message: bug, agent: "ada" },
      { message: share, agent: "ada" },
      { message: review, agent: "bo" },
      { message: steered, agent: "ada" },
      { message: mistake, agent: "ada", says: stopped },
      { message: long, agent: "ada" },
    ])
    return { transcript, subjects, faults } satisfies Played
  })
