/** The runtime that runs on this machine, through its API: where it listens by HOST and PORT, its token by TROUPE_HOME. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Settings } from "../../runtime/index.ts"

/** One plain sentence with the next step. */
export class CliError extends Schema.TaggedError<CliError>()("CliError", { message: Schema.String }) {}

export const call = Effect.fn("Client.call")(function* <A>(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
) {
  const { host, port, home } = yield* Settings
  const token = yield* Effect.try({
    try: () => readFileSync(join(home, "cli.token"), "utf8").trim(),
    catch: () =>
      new CliError({
        message: `There is no Troupe in ${home}: start it with \`npm start\`, or set TROUPE_HOME.`,
      }),
  })
  const response = yield* Effect.tryPromise({
    try: () =>
      fetch(`http://${host}:${port}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    catch: () =>
      new CliError({
        message: `Troupe does not answer on ${host}:${port}: start it with \`npm start\`, or set PORT.`,
      }),
  })
  const answer = yield* Effect.tryPromise({
    try: () => response.json() as Promise<A & { readonly message?: string }>,
    catch: () => new CliError({ message: `What answers on ${host}:${port} is not Troupe: set PORT.` }),
  })
  return response.ok
    ? answer
    : yield* new CliError({ message: answer.message ?? `It answered ${response.status}.` })
})
