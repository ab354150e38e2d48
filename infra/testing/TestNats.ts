/** A real nats-server for tests, with the users and permissions of the embedded one. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { natsConfig } from "../embedded/NatsConfig.ts"
import { freePort, serve, type TestServer } from "./TestServer.ts"

export const NATS_PASSWORDS = { runtime: "runtime-test", inspector: "inspector-test", system: "system-test" }

/** Every test has a stream of its own, and each reserves its limit; nothing of it is used. Starts on `dir` (made when absent). The url carries no password: users are `runtime` and `inspector`. */
export const startNats = async (dir: string): Promise<TestServer> => {
  mkdirSync(dir, { recursive: true })
  const portFile = join(dir, "port")
  if (!existsSync(portFile)) writeFileSync(portFile, String(await freePort()))
  const port = Number(readFileSync(portFile, "utf8"))
  const version =
    /v(\d\S*)/.exec(execFileSync("nats-server", ["--version"], { encoding: "utf8" }))?.[1] ?? "0"
  const config = join(dir, "nats.conf")
  writeFileSync(config, natsConfig({ port, dir, version, maxFile: "4T", passwords: NATS_PASSWORDS }), {
    mode: 0o600,
  })
  return serve(
    `nats://127.0.0.1:${port}`,
    { file: "nats-server", args: ["-c", config] },
    "Server is ready",
    /in use/,
    "SIGTERM",
  )
}
