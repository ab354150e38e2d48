import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { expect, test } from "vitest"
import { parse } from "../../runtime/config/TroupeYaml.ts"
import { telegramIntegration } from "./Settings.ts"

const read = (lines: string, env: Record<string, string> = {}) =>
  parse("troupe.yaml", `integrations:\n  - name: team-chat\n    type: telegram\n${lines}`, {
    env,
    types: { telegram: telegramIntegration },
  })

test("a token is enough, and then nobody is heard", () => {
  const result = read("    token: ${TOKEN}\n    apiRoot: ${ROOT}", { TOKEN: "1:x" })
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  const settings = result.success.integrations.find(({ name }) => name === "team-chat")?.settings
  expect(settings).toMatchObject({ mode: "polling", allow: { users: [], chats: [] }, triage: "off" })
  expect(settings).not.toHaveProperty("apiRoot")
  expect(Redacted.value((settings as { token: Redacted.Redacted }).token)).toBe("1:x")
})

test("ids are numbers, also from the environment, and everybody must be written as a star", () => {
  const result = read('    token: a\n    allow: { users: [7, "${ME}", "*"], chats: [-100] }', { ME: "42" })
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  expect(result.success.integrations.at(-1)?.settings).toMatchObject({
    allow: { users: [7, 42, "*"], chats: [-100] },
  })
})

test.each([
  '    token: a\n    allow: { users: ["eve"] }',
  "    mode: polling",
  "    token: a\n    mode: carrier-pigeon",
])("is refused: %s", (lines) => {
  expect(Result.isFailure(read(lines))).toBe(true)
})
