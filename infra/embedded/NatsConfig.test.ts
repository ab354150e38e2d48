import { expect, it } from "vitest"
import { atLeast, natsConfig } from "./NatsConfig.ts"

const config = (version: string) =>
  natsConfig({ port: 1, dir: "/home", version, passwords: { runtime: "r", inspector: "i", system: "s" } })

it("compares versions by number, not by letters", () => {
  expect(atLeast("2.9.10", [2, 10])).toBe(false)
  expect(atLeast("2.9.10", [2, 9, 10])).toBe(true)
  expect(atLeast("2.9.9", [2, 9, 10])).toBe(false)
  expect(atLeast("2.10.0-beta.1", [2, 10])).toBe(true)
  expect(atLeast("3.0.0", [2, 10])).toBe(true)
})

it("asks for a sync at every write only where the server knows the field", () => {
  expect(config("2.9.10")).not.toContain("sync_interval")
  expect(config("2.10.27")).toContain("sync_interval: always")
})

it("puts all users into accounts: beside authorization, old servers let strangers in", () => {
  expect(config("2.9.10")).not.toContain("authorization")
})
