import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["{runtime,actors,integrations,admin,infra}/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One Postgres and one nats-server for the whole run; each file makes its own database and stream.
    globalSetup: ["infra/testing/servers.ts"],
  },
})
