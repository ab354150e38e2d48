/**
 * What tests need from the outside world: a database and a bus of their own on the run's servers, or a server pair that
 * they may kill.
 */
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import { postgres } from "../../runtime/store/guard.ts"
import { NATS_PASSWORDS } from "./TestNats.ts"
import { openDirectory } from "./TestServer.ts"

export { startNats } from "./TestNats.ts"
export { startPostgres } from "./TestPostgres.ts"
export type { TestServer } from "./TestServer.ts"

/** A new, empty database on the run's server; its URL, for `postgres()`. It goes when the run ends. */
export const testDatabase = async (): Promise<string> => {
  const url = new URL(inject("postgresUrl"))
  const sql = postgres(url.href, { max: 1, onnotice: () => {} })
  const name = `test_${randomBytes(6).toString("hex")}`
  await sql.unsafe(`create database ${name} strategy = file_copy`)
  await sql.end()
  url.pathname = `/${name}`
  return url.href
}

/** The run's nats-server. It is shared: name everything after a `testWorkspace()`. */
export const testNats = (): { readonly url: string; readonly user: string; readonly password: string } => ({
  url: inject("natsUrl"),
  user: "runtime",
  password: NATS_PASSWORDS.runtime,
})

/** As `testNats`, for the read-only user. */
export const testInspector = (): ReturnType<typeof testNats> => ({
  url: inject("natsUrl"),
  user: "inspector",
  password: NATS_PASSWORDS.inspector,
})

/** A workspace id that no other test has: streams and subjects named after it never collide. */
export const testWorkspace = (): string =>
  `ws${randomBytes(8).toString("hex").replace(/[018]/g, "a").replace(/9/g, "b")}`

/** A new empty directory, for `startPostgres`, `startNats` or a home. It goes when the run ends. */
export const testDirectory = (): string => openDirectory(inject("directory"))
