/** A real Postgres 18 for tests, with fsync off unless asked for: a process kill loses nothing either way. */
import { spawnSync } from "node:child_process"
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { processesIn } from "../embedded/Processes.ts"
import { postgresBinaries } from "../embedded/PostgresBinaries.ts"
import { serverUser } from "../embedded/ServerUser.ts"
import { freePort, serve, type TestServer } from "./TestServer.ts"

const PASSWORD = "test"

/** Starts on `dir` (made when absent; its parents must be open to other users when the tests run as root). */
export const startPostgres = async (
  dir: string,
  options?: { readonly fsync?: boolean },
): Promise<TestServer> => {
  const user = serverUser()
  const as = user ?? {}
  const bin = join(postgresBinaries(user, dir), "bin")
  const data = join(dir, "data")
  mkdirSync(dir, { recursive: true })
  chmodSync(dir, 0o755)
  if (!existsSync(data)) {
    mkdirSync(data, { mode: 0o700 })
    const passwordFile = join(dir, "password")
    writeFileSync(passwordFile, PASSWORD, { mode: 0o600 })
    if (user !== undefined) for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid)
    const made = spawnSync(
      join(bin, "initdb"),
      [
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        `--pwfile=${passwordFile}`,
        "-E",
        "UTF8",
        "--no-sync",
      ].concat([
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C.UTF-8",
        "--no-instructions",
      ]),
      { ...as, cwd: "/", encoding: "utf8" },
    )
    if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}`)
    writeFileSync(join(dir, "port"), String(await freePort()))
  }
  const port = readFileSync(join(dir, "port"), "utf8")
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "32MB",
    io_method: "sync",
    max_connections: "200",
    fsync: options?.fsync === true ? "on" : "off",
  }
  const args = [
    "-D",
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`
  return serve(
    url,
    { file: join(bin, "postgres"), args, ...as, workers: () => processesIn(data) },
    "system is ready to accept",
    /already exists|still in use/,
    "SIGINT",
  )
}
