import { expect, it } from "vitest"
import type { AgentId, WorkspaceId } from "../../runtime/index.ts"
import { machineName, machinePrefix } from "./MachineName.ts"

it("names a machine within what the sandbox allows, the same for the same agent, another for another", () => {
  const ws = "w".repeat(40) as WorkspaceId
  const one = machineName(ws, `${"a".repeat(39)}1` as AgentId)
  const two = machineName(ws, `${"a".repeat(39)}2` as AgentId)
  expect(one).toMatch(/^[a-z0-9-]{1,63}$/)
  expect(one).toBe(machineName(ws, `${"a".repeat(39)}1` as AgentId))
  expect(one).not.toBe(two)
  expect(one.startsWith(machinePrefix(ws))).toBe(true)
  expect(machineName("main" as WorkspaceId, "ada" as AgentId)).toBe("troupe-main-ada")
  // The machines of a workspace are found by prefix: no name of another workspace may begin with it.
  expect(
    machineName("main2" as WorkspaceId, "ada" as AgentId).startsWith(machinePrefix("main" as WorkspaceId)),
  ).toBe(false)
})
