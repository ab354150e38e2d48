/** Runs the contracts against Fly, or against whatever server SPRITES_URL names: see README.md. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: { include: ["integrations/sprites/FlySuite.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
})
