/** The runtime that runs on this machine, through its API: where it listens by HOST and PORT, its token by TROUPE_HOME. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Answer, type AnyAsked, type Call, lineOf, type Route } from "../../admin/api/Call.ts"
import { ConfigError, Problem, Settings } from "../../runtime/index.ts"

/** One plain sentence with the next step. */
export class CliError extends Schema.TaggedError<CliError>()("CliError", { message: Schema.String }) {}

/** What the API says of a request it refused. */
const Refusal = Schema.Struct({
  error: Schema.optionalKey(Schema.String),
  problems: Schema.optionalKey(Schema.Array(Problem)),
})

/** An address to listen on is not always one to connect to. */
const reachable = (host: string) =>
  host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host

const away = (at: string) =>
  new CliError({ message: `Troupe does not answer on ${at}: start it with \`npm start\`, or set PORT.` })

export const request = Effect.fn("Client.request")(function* (route: Route, asked: AnyAsked = {}) {
  const { method, url } = lineOf(route, asked)
  const { host, port, home } = yield* Settings
  const at = `${reachable(host)}:${port}`
  const token = yield* Effect.try({
    try: () => readFileSync(join(home, "cli.token"), "utf8").trim(),
    catch: () =>
      new CliError({
        message: `There is no Troupe in ${home}: start it with \`npm start\`, or set TROUPE_HOME.`,
      }),
  })
  const response = yield* Effect.tryPromise({
    try: (signal) =>
      fetch(`http://${at}${url}`, {
        method,
        signal,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      }),
    catch: () => away(at),
  })
  if (response.ok) return response
  const { error, problems } = yield* Effect.tryPromise({ try: () => response.json(), catch: String }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Refusal)),
    Effect.catch(() => new CliError({ message: `What answers on ${at} is not Troupe: set PORT.` })),
  )
  if (problems !== undefined) return yield* new ConfigError({ problems })
  if (response.status === 401)
    return yield* new CliError({
      message: `The Troupe on ${at} is not the one of ${home}: set PORT or TROUPE_HOME.`,
    })
  return yield* new CliError({ message: error ?? `Troupe answered ${response.status}; see its log.` })
})

/** The answer's JSON, typed by the definition of the API. */
export const call = Effect.fnUntraced(function* <R extends Route>(route: R, ...[asked]: Call<R>) {
  const response = yield* request(route, asked as AnyAsked | undefined)
  return yield* Effect.tryPromise({
    try: () => response.json() as Promise<Answer<R>>,
    catch: () => new CliError({ message: "What answers there is not Troupe: set PORT." }),
  })
})
