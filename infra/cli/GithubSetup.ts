/**
 * `troupe github setup`: makes a GitHub App in the browser. A page on loopback, at an address that cannot be guessed, sends the
 * manifest to GitHub and takes the code that comes back, once; the secrets go into a file that only this user can read.
 */
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { randomBytes, timingSafeEqual } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join, resolve } from "node:path"
import { convertManifest, manifestOf, newAppUrl, type MadeApp } from "../../integrations/github/index.ts"
import { Settings } from "../../runtime/index.ts"

class SetupError extends Schema.TaggedError<SetupError>()("SetupError", { message: Schema.String }) {}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")

const page = (body: string) =>
  `<!doctype html><meta charset="utf-8"><title>Troupe</title><body style="font:16px system-ui;margin:4em">${body}</body>`

const formPage = (to: string, manifest: object) =>
  page(
    `<p>GitHub asks for a name next, then comes back here.</p><form method="post" action="${escaped(to)}">` +
      `<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}"><button>Make the App on GitHub</button></form>`,
  )

/** Serves the page until the browser brings the code. */
const askBrowser = Effect.fnUntraced(function* (given: {
  readonly apiUrl: string | undefined
  readonly organization: string | undefined
  readonly manifest: (back: string) => object
}) {
  const secret = randomBytes(24).toString("base64url")
  const code = yield* Deferred.make<string>()
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", base)
    const answer = (status: number, body: string, sent = () => {}) => {
      response.writeHead(status, {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
      })
      response.end(body, sent)
    }
    if (request.headers.host !== new URL(base).host) return answer(421, "")
    if (url.pathname === `/${secret}`)
      return answer(
        200,
        formPage(newAppUrl(given.apiUrl, given.organization, secret), given.manifest(`${base}/done`)),
      )
    const brought = url.searchParams.get("code") ?? ""
    if (url.pathname !== "/done" || brought === "" || !same(url.searchParams.get("state") ?? "", secret))
      return answer(
        404,
        page("<p>This is not the page you were given: take the address from the terminal.</p>"),
      )
    answer(200, page("<p>Done. The terminal says what comes next; this page can be closed.</p>"), () => {
      run(Deferred.succeed(code, brought))
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((done) => {
      server.listen(0, "127.0.0.1", () => done(Effect.void))
    }),
    () =>
      Effect.callback<void>((done) => {
        server.close(() => done(Effect.void))
        server.closeAllConnections()
      }),
  )
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  yield* Console.log(`Open this in your browser, signed in to GitHub:\n\n  ${base}/${secret}\n`)
  return yield* Deferred.await(code).pipe(
    Effect.timeoutOrElse({
      duration: "30 minutes",
      orElse: () =>
        Effect.fail(new SetupError({ message: "Nobody came back from GitHub in 30 minutes; run it again." })),
    }),
  )
})

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** Variables as a shell and `docker compose` read them; the key in one line. */
const envFile = (app: MadeApp): string =>
  [
    `GITHUB_APP_ID=${app.id}`,
    `GITHUB_PRIVATE_KEY='${app.privateKey.trim().replaceAll("\n", "\\n")}'`,
    `GITHUB_WEBHOOK_SECRET='${app.webhookSecret}'`,
    "",
  ].join("\n")

const next = (app: MadeApp, name: string, file: string, apiUrl: string | undefined): string => `
The App @${app.slug} is made. Its key and secret are in ${file}, readable by you only.

1. Install it where it is to work: ${app.url}/installations/new
2. Put it into troupe.yaml, and name it in the integrations of your agents:

   integrations:
     - name: ${name}
       type: github
       appId: \${GITHUB_APP_ID}
       privateKey: \${GITHUB_PRIVATE_KEY}
       webhookSecret: \${GITHUB_WEBHOOK_SECRET}${apiUrl === undefined ? "" : `\n       apiUrl: ${apiUrl}`}
       workLabel: agent

3. Start with it: set -a; . ${file}; set +a; npm start`

const setup = Command.make(
  "setup",
  {
    name: Flag.String("name").pipe(
      Flag.withDescription("The integration's name in troupe.yaml"),
      Flag.withDefault("repos"),
    ),
    appName: Flag.String("app-name").pipe(
      Flag.withDescription("The App's name on GitHub, where it must be unique"),
      Flag.withDefault(`troupe-${randomBytes(3).toString("hex")}`),
    ),
    organization: Flag.String("org").pipe(
      Flag.withDescription("The organization that owns the App; without it, your own account"),
      Flag.optional,
    ),
    apiUrl: Flag.String("api-url").pipe(
      Flag.withDescription("Of GitHub Enterprise: https://<host>/api/v3"),
      Flag.optional,
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const { home, publicUrl } = yield* Settings
    if (!/^[a-z][a-z0-9_-]{0,31}$/.test(flags.name))
      return yield* new SetupError({
        message: `"${flags.name}" cannot be a name: use lower-case letters, digits, - and _.`,
      })
    if (Option.isNone(publicUrl))
      return yield* new SetupError({
        message:
          "GitHub needs an address to send to: set PUBLIC_URL to where Troupe is reached from outside, and run it again.",
      })
    const hook = `${publicUrl.value.replace(/\/+$/, "")}/hooks/${flags.name}`
    const apiUrl = Option.getOrUndefined(flags.apiUrl)
    const code = yield* Effect.scoped(
      askBrowser({
        apiUrl,
        organization: Option.getOrUndefined(flags.organization),
        manifest: (back) => manifestOf({ appName: flags.appName, hook, back }),
      }),
    )
    const app = yield* convertManifest(apiUrl, code).pipe(
      Effect.mapError(
        (e) => new SetupError({ message: `GitHub did not give out the App (${e.message}); run it again.` }),
      ),
    )
    const directory = resolve(home, "github")
    const file = join(directory, `${flags.name}.env`)
    yield* Effect.sync(() => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      writeFileSync(file, envFile(app), { mode: 0o600 })
    })
    yield* Console.log(next(app, flags.name, file, apiUrl))
  }),
).pipe(Command.withDescription("Make a GitHub App in your browser and keep its secrets"))

export const github = Command.make("github").pipe(
  Command.withDescription("The GitHub door"),
  Command.withSubcommands([setup]),
)
