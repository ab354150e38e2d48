/** Vitest global setup: one Postgres and one nats-server for the whole run, in a temporary directory; the page as it is now. */
import { execFile } from "node:child_process"
import { rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import type { TestProject } from "vitest/node"
import { startNats } from "./TestNats.ts"
import { startPostgres } from "./TestPostgres.ts"
import { openDirectory } from "./TestServer.ts"

declare module "vitest" {
  export interface ProvidedContext {
    readonly postgresUrl: string
    readonly natsUrl: string
    /** The run's own directory; removed with all in it when the run ends. */
    readonly directory: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = openDirectory(tmpdir())
  const [postgres, nats] = await Promise.all([
    startPostgres(join(dir, "postgres")),
    startNats(join(dir, "nats")),
    promisify(execFile)(process.execPath, [join(import.meta.dirname, "../../admin/web/Build.ts")]),
  ])
  project.provide("postgresUrl", postgres.url)
  project.provide("natsUrl", nats.url)
  project.provide("directory", dir)
  return async () => {
    await Promise.all([postgres.kill(), nats.kill()])
    rmSync(dir, { recursive: true, force: true })
  }
}
