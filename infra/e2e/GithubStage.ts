/**
 * An installation with a GitHub App for a test: the runtime as a process of its own, people on an emulated GitHub, an
 * emulated model. What a test sees is what stands on GitHub.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { AnthropicEmulator, say, type EmulatorOptions } from "../emulators/anthropic/index.ts"
import { GithubEmulator, type Comment, type Issue, type Repo } from "../emulators/github/index.ts"
import { TelegramEmulator } from "../emulators/telegram/index.ts"
import { testDatabase, testDirectory, testNats } from "../testing/index.ts"
import { freePort } from "../testing/TestServer.ts"
import { RuntimeProcess } from "./RuntimeProcess.ts"

export interface GithubStageOptions {
  readonly agents?: ReadonlyArray<string>
  /** Of the github block of troupe.yaml, over what every test has. */
  readonly github?: Readonly<Record<string, unknown>>
  readonly model?: EmulatorOptions
  readonly emulator?: Parameters<typeof GithubEmulator.start>[0]
  readonly files?: Readonly<Record<string, string>>
  readonly private?: boolean
  /** The same agents also behind a Telegram bot. */
  readonly telegram?: boolean
}

export const githubStage = async (options: GithubStageOptions = {}) => {
  const scope = await Effect.runPromise(Scope.make())
  const open = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
    Effect.runPromise(effect.pipe(Effect.provideService(Scope.Scope, scope)))
  const gh = await open(GithubEmulator.start(options.emulator))
  const ai = await open(AnthropicEmulator.start({ respond: () => say("Hello."), ...options.model }))
  const tg = await open(TelegramEmulator.start())
  const port = await freePort()
  const app = gh.app({ slug: "troupe-app", hook: `http://127.0.0.1:${port}/hooks/repos` })
  const acme = gh.organization("acme")
  const owner = gh.person("olga")
  const reader = gh.person("rita")
  const repo = gh.repo(acme, "web", {
    private: options.private ?? true,
    ...(options.files === undefined ? {} : { files: options.files }),
  })
  gh.allow(repo, owner, "admin")
  gh.allow(repo, reader, "read")
  gh.install(app, [repo])
  /** Another App, in a repository of its own. */
  const second = gh.app({ slug: "second-app", hook: `http://127.0.0.1:${port}/hooks/more-repos` })
  const apart = gh.repo(gh.organization("apart"), "tools")
  gh.allow(apart, owner, "write")
  gh.install(second, [apart])

  const config = {
    agents: (options.agents ?? ["ada"]).map((name) => ({
      name,
      title: "Engineer",
      soul: "You test.",
      integrations: ["repos", "more-repos", ...(options.telegram === true ? ["team-chat"] : [])],
    })),
    integrations: [
      {
        name: "repos",
        type: "github",
        appId: app.id,
        privateKey: app.privateKey,
        webhookSecret: app.webhookSecret,
        apiUrl: gh.apiUrl,
        workLabel: "agent",
        ...options.github,
      },
      {
        name: "more-repos",
        type: "github",
        appId: second.id,
        privateKey: second.privateKey,
        webhookSecret: second.webhookSecret,
        apiUrl: gh.apiUrl,
      },
      ...(options.telegram === true
        ? [
            {
              name: "team-chat",
              type: "telegram",
              token: tg.bot().token,
              apiRoot: tg.url,
              allow: { users: ["*"] },
            },
          ]
        : []),
    ],
    budgets: { perRoot: 10, perAgentPerDay: 1000 },
  }
  const nats = testNats()
  const home = testDirectory()
  writeFileSync(join(home, "troupe.yaml"), JSON.stringify(config))
  const database = await testDatabase()
  const runtime = new RuntimeProcess(home, {
    ENCRYPTION_KEY: "ab".repeat(32),
    ANTHROPIC_API_KEY: "test-key",
    ANTHROPIC_BASE_URL: ai.url,
    DATABASE_URL: database,
    NATS_URL: nats.url.replace("//", `//${nats.user}:${nats.password}@`),
    PORT: String(port),
  })

  const until = async (what: string, predicate: () => boolean, ms = 15_000) => {
    const exit = await Effect.runPromiseExit(gh.waitFor(what, predicate, ms))
    if (Exit.isSuccess(exit)) return
    const shown = [...repo.issues.values()].flatMap((issue) => [
      `#${issue.number} ${issue.title} (${issue.state}) ${issue.body.slice(0, 200)}`,
      ...[...issue.comments, ...(issue.pull?.threads ?? [])].map(
        (c) => `  ${c.id} ${c.user.login}: ${c.body.slice(0, 400)}`,
      ),
    ])
    throw runtime.failure(
      `did not get it done (${what}); refusals: ${ai.refusals().join("; ")}; GitHub shows:\n${shown.join("\n")}\n`,
    )
  }
  /** What the App wrote below an issue. */
  const spoken = (issue: Issue): ReadonlyArray<Comment> => issue.comments.filter((c) => c.app === app)
  return {
    gh,
    ai,
    tg,
    app,
    second,
    apart,
    acme,
    owner,
    reader,
    repo: repo as Repo,
    port,
    database,
    runtime,
    until,
    spoken,
    /** Resolves when the App has written so many comments there, all of them final. */
    answered: async (issue: Issue, times = 1, ms?: number) => {
      const said = () =>
        spoken(issue).filter((c) => !c.body.includes("Working on it") && !/ …$/m.test(c.body))
      await until(`${times} answers in #${issue.number}`, () => said().length >= times, ms)
      return said()
    },
    dispose: async () => {
      if (runtime.pid !== 0) await runtime.killEverything()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}

export type GithubStage = Awaited<ReturnType<typeof githubStage>>
