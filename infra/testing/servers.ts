/** Vitest global setup: one Postgres and one nats-server for the whole run, in a temporary directory. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { startNats } from "./TestNats.ts"
import { startPostgres } from "./TestPostgres.ts"
import { testDirectory } from "./TestServer.ts"

declare module "vitest" {
  export interface ProvidedContext {
    readonly postgresUrl: string
    readonly natsUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = testDirectory()
  const [postgres, nats] = await Promise.all([
    startPostgres(join(dir, "postgres")),
    startNats(join(dir, "nats")),
  ])
  project.provide("postgresUrl", postgres.url)
  project.provide("natsUrl", nats.url)
  return async () => {
    await Promise.all([postgres.kill(), nats.kill()])
    rmSync(dir, { recursive: true, force: true })
  }
}
