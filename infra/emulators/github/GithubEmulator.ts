/**
 * A GitHub of our own on loopback: REST, git over HTTP and signed webhooks for the runtime, and for tests the hands and eyes
 * of the people there. Its ground truth is what people see, never what a client reported.
 *
 * Semantics: acts happen at once and never wait; their webhooks go out in order of the acts, one attempt each. `waitFor`
 * resumes on the change that makes its predicate true. Everything ends with the scope.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { Agent } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Acts, type Actor } from "./Acts.ts"
import { Faults, type Fault } from "./Faults.ts"
import { branchesOf, commit, git, initRepository } from "./Git.ts"
import { Hooks } from "./Hooks.ts"
import { Limits, type ContentLimits } from "./Limits.ts"
import { makeServer } from "./Server.ts"
import {
  World,
  type Account,
  type App,
  type Comment,
  type Issue,
  type Permission,
  type Repo,
} from "./World.ts"

export interface EmulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** How far GitHub's clock is ahead of ours. */
  readonly skewMs?: number
  /** How long an installation token lives; an hour by default. */
  readonly tokenTtlMs?: number
}

export class WaitTimeout extends Schema.TaggedError<WaitTimeout>()("WaitTimeout", {
  message: Schema.String,
}) {}

export interface AppSpec {
  readonly slug: string
  readonly hook?: string
  readonly webhookSecret?: string
  readonly permissions?: Readonly<Record<string, string>>
}

type Files = Readonly<Record<string, string | Uint8Array | null>>

const allPermissions = {
  issues: "write",
  pull_requests: "write",
  contents: "write",
  checks: "write",
  actions: "read",
  metadata: "read",
}

export type GithubEmulator = Effect.Success<ReturnType<typeof start>>

export const start = (options: EmulatorOptions = {}) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "github-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
    )
    const agent = new Agent({ keepAlive: true, maxSockets: 40 })
    const world = new World(() => Date.now() + (options.skewMs ?? 0))
    let base = ""
    const url = () => base
    const hooks = new Hooks(world, agent, url)
    const acts = new Acts(world, hooks, url)
    const env = {
      world,
      acts,
      hooks,
      faults: new Faults(),
      limits: new Limits(),
      calls: new Map<string, number>(),
      files: new Map<string, { readonly bytes: Uint8Array; readonly mime: string }>(),
      url,
      tokenTtlMs: options.tokenTtlMs ?? 3_600_000,
    }
    const server = makeServer(env)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          agent.destroy()
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        }),
    )
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

    const account = (login: string, type: Account["type"], id = world.id()): Account => {
      const made = { id, login, type }
      world.accounts.set(id, made)
      return made
    }
    const as = (person: Account): Actor => ({ account: person, app: null })

    const app = (spec: AppSpec): App => {
      const id = world.id()
      const { privateKey } = keys()
      const made: App = {
        id,
        slug: spec.slug,
        bot: account(`${spec.slug}[bot]`, "Bot"),
        privateKey,
        publicKey: createPublicKey(privateKey),
        webhookSecret: spec.webhookSecret ?? randomBytes(16).toString("hex"),
        permissions: spec.permissions ?? allPermissions,
        hook: spec.hook ?? null,
        deliveries: [],
      }
      world.apps.set(id, made)
      return made
    }
    const repo = (
      owner: Account,
      name: string,
      given: {
        readonly private?: boolean
        readonly files?: Files
        readonly labels?: ReadonlyArray<string>
      } = {},
    ): Repo => {
      const id = world.id()
      const made: Repo = {
        id,
        owner,
        name,
        private: given.private ?? true,
        directory: join(directory, `${id}.git`),
        collaborators: new Map(),
        issues: new Map(),
        labels: new Set(given.labels ?? []),
        formerly: new Set(),
        deleted: false,
      }
      initRepository(made.directory)
      commit(made.directory, "main", given.files ?? { "README.md": `# ${name}\n` }, "Begin")
      world.repos.set(id, made)
      return made
    }
    const install = (on: App, repos: ReadonlyArray<Repo>) => {
      const owner = repos[0]!.owner
      const known = [...world.installations.values()].find((i) => i.app === on && i.account === owner)
      if (known !== undefined) {
        for (const one of repos) known.repos.add(one)
        return known
      }
      const made = { id: world.id(), app: on, account: owner, repos: new Set(repos) }
      world.installations.set(made.id, made)
      return made
    }
    const waitFor = (
      what: string,
      predicate: () => boolean,
      timeoutMs = 10_000,
    ): Effect.Effect<void, WaitTimeout> =>
      Effect.callback<void>((resume) => {
        const look = () => {
          if (!predicate()) return
          stop()
          resume(Effect.void)
        }
        const stop = world.onChange(look)
        look()
        return Effect.sync(stop)
      }).pipe(
        Effect.timeout(timeoutMs),
        Effect.catchTag("TimeoutError", () =>
          Effect.fail(new WaitTimeout({ message: `not within ${timeoutMs} ms: ${what}` })),
        ),
      )

    return {
      /** The web's address; git is below it. */
      url: base,
      /** Give this to the runtime as `apiUrl`. */
      apiUrl: `${base}/api/v3`,
      world,
      app,
      /** An App that waits to be fetched by its manifest's code. */
      manifest: (code: string, spec: AppSpec): App => {
        const made = app(spec)
        world.manifests.set(code, made)
        return made
      },
      person: (login: string, id?: number) => account(login, "User", id),
      bot: (login: string) => account(login, "Bot"),
      organization: (login: string) => account(login, "Organization"),
      repo,
      install,
      allow: (on: Repo, person: Account, level: Permission) => void on.collaborators.set(person.id, level),
      openIssue: (
        on: Repo,
        by: Account,
        title: string,
        body = "",
        labels: ReadonlyArray<string> = [],
      ): Issue => acts.openIssue(on, as(by), title, body, labels),
      editIssue: (issue: Issue, by: Account, change: { readonly title?: string; readonly body?: string }) =>
        acts.editIssue(issue, as(by), change),
      closeIssue: (issue: Issue, by: Account) => acts.close(issue, as(by)),
      reopen: (issue: Issue, by: Account) => acts.reopen(issue, as(by)),
      label: (issue: Issue, by: Account, name: string) => acts.label(issue, as(by), name),
      assign: (issue: Issue, by: Account, to: Account) => acts.assign(issue, as(by), to),
      comment: (issue: Issue, by: Account, body: string): Comment => acts.comment(issue, as(by), body),
      editComment: (issue: Issue, comment: Comment, by: Account, body: string) =>
        acts.editComment(issue, comment, as(by), body),
      openPull: (
        on: Repo,
        by: Account,
        given: {
          readonly title: string
          readonly body?: string
          readonly head: string
          readonly draft?: boolean
        },
      ): Issue => acts.openPull(on, as(by), { base: "main", body: "", ...given }),
      ready: (issue: Issue, by: Account) => acts.ready(issue, as(by)),
      requestReview: (issue: Issue, by: Account, reviewer: Account) =>
        acts.requestReview(issue, as(by), reviewer),
      review: (issue: Issue, by: Account, given: Parameters<Acts["review"]>[2]) =>
        acts.review(issue, as(by), given),
      reviewComment: (
        issue: Issue,
        by: Account,
        path: string,
        line: number,
        body: string,
        replyTo: number | null = null,
      ) => acts.reviewComment(issue, as(by), path, line, body, replyTo),
      check: (issue: Issue, by: Account, name: string, conclusion: string, summary = "") =>
        acts.check(issue, by, name, conclusion, summary),
      /** A person pushes to a branch. */
      push: (on: Repo, by: Account, branch: string, files: Files, message = "Change"): string => {
        const before = branchesOf(on.directory)
        const sha = commit(on.directory, branch, files, message)
        acts.pushed(on, as(by), before)
        return sha
      },
      branches: (on: Repo) => branchesOf(on.directory),
      git: (on: Repo, ...args: ReadonlyArray<string>) => git(on.directory, args),
      pulls: (on: Repo): ReadonlyArray<Issue> => [...on.issues.values()].filter((i) => i.pull !== null),
      rename: (on: Repo, name: string) => {
        on.formerly.add(`${on.owner.login}/${on.name}`)
        on.name = name
      },
      remove: (on: Repo) => {
        on.deleted = true
        world.changed()
      },
      /** Moves an issue to another repository; the old number redirects. */
      transfer: (issue: Issue, by: Account, to: Repo): Issue => {
        const moved = { ...issue, id: world.id(), number: world.nextNumber(to), repo: to, moved: null }
        to.issues.set(moved.number, moved)
        issue.moved = moved
        hooks.send({
          event: "issues",
          action: "transferred",
          repo: issue.repo,
          sender: by,
          body: {
            issue: {
              id: issue.id,
              number: issue.number,
              title: issue.title,
              body: issue.body,
              user: { id: issue.user.id, login: issue.user.login, type: issue.user.type },
              created_at: issue.createdAt,
              updated_at: issue.updatedAt,
            },
          },
        })
        return moved
      },
      /** A file that comments can show; its address. */
      attach: (name: string, bytes: Uint8Array, mime: string): string => {
        env.files.set(`/attachments/${name}`, { bytes, mime })
        return `${base}/attachments/${name}`
      },
      /** Any payload, signed for the App, with other headers where given. */
      deliver: (
        on: App,
        event: string,
        payload: string,
        headers?: Readonly<Record<string, string>>,
      ): string => hooks.push(on, event, null, 0, null, payload, headers),
      hook: (on: App, to: string | null) => void (on.hook = to),
      /** While it is silent, webhooks are noted and not sent. */
      silence: (silent: boolean) => void (hooks.silent = silent),
      /** GitHub forgets its tokens early. */
      expireTokens: () => {
        for (const token of world.tokens.values()) token.expiresAt = 0
      },
      tokenTtl: (ms: number) => void (env.tokenTtlMs = ms),
      limits: (limits: Partial<ContentLimits>) => env.limits.set(limits),
      refusals: () => env.limits.refusals,
      fault: (route: string, fault: Fault, times = 1) => env.faults.add(route, fault, times),
      calls: (route: string) => env.calls.get(route) ?? 0,
      onChange: (look: () => void) => world.onChange(look),
      waitFor,
      /** Resumes when no webhook is under way. */
      idle: waitFor("all webhooks to be answered", () => hooks.idle),
    }
  })

/** Making a key takes a tenth of a second: one does for all Apps of a process. */
let made: { readonly privateKey: string } | undefined
const keys = () =>
  (made ??= {
    privateKey: generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    }).privateKey,
  })
