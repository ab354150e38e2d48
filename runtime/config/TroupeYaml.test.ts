import * as fc from "fast-check"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { stringify } from "yaml"
import { formatProblem } from "./ConfigError.ts"
import { builtInAgents, secretsOf } from "./TroupeConfig.ts"
import { parse } from "./TroupeYaml.ts"
import { Secret, Text, WholeNumber } from "./YamlScalars.ts"

const types = {
  web: { schema: Schema.Struct({}) },
  chat: {
    schema: Schema.Struct({
      token: Secret,
      mode: Schema.optionalKey(Schema.Literals(["polling", "webhook"])),
      users: Schema.optionalKey(Schema.Array(WholeNumber)),
      apiRoot: Schema.optionalKey(Text),
    }),
    mayBeUnset: ["apiRoot"],
  },
} as const

const read = (text: string, env: Record<string, string> = {}) => parse("troupe.yaml", text, { env, types })
const good = (text: string, env?: Record<string, string>) => {
  const result = read(text, env)
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  return result.success
}
const bad = (text: string, env?: Record<string, string>): ReadonlyArray<string> => {
  const result = read(text, env)
  if (Result.isSuccess(result)) throw new Error("expected problems")
  return result.failure.problems.map(formatProblem)
}

describe("a secret by file", () => {
  const text = "integrations: [{ name: c, type: chat, token: '${CHAT_TOKEN}' }]"
  test("is read where VAR_FILE names it", () => {
    const file = join(mkdtempSync(join(tmpdir(), "troupe-yaml-")), "token")
    writeFileSync(file, "123:abc\n")
    const chat = good(text, { CHAT_TOKEN_FILE: file }).integrations.find((i) => i.type === "chat")
    expect(Redacted.value(chat!.settings.token)).toBe("123:abc")
  })
  test("is a mistake at its place when the file is not there", () =>
    expect(bad(text, { CHAT_TOKEN_FILE: "/nowhere/token" })).toEqual([
      "troupe.yaml:1:46: CHAT_TOKEN_FILE names /nowhere/token, which cannot be read: correct the path, or the permissions of the file.",
    ]))
})

describe("a good file", () => {
  test("becomes a config with every default filled in", () => {
    const config = good(
      `
agents:
  - { name: ada, interests: [bug], integrations: [team-chat] }
  - name: bo
    title: Reviewer
integrations:
  - name: team-chat
    type: chat
    token: \${TOKEN}
    users: ["\${OWNER}", 7]
    apiRoot: \${API_ROOT}
prices: { "my-model": { input: 1.0, output: 5 } }
`,
      { TOKEN: "123", OWNER: "42" },
    )
    expect(config.agents.map(({ name, title, integrations }) => ({ name, title, integrations }))).toEqual([
      { name: "ada", title: "Teammate", integrations: ["web", "team-chat"] },
      { name: "bo", title: "Reviewer", integrations: ["web", "team-chat"] },
    ])
    expect(config.agents[0]?.soul).toContain("Teammate")
    expect(config.budgets).toEqual({ perRoot: 1, perAgentPerDay: 20, perMonth: 500 })
    expect(config.prices["my-model"]).toEqual({ input: 1, output: 5 })
    const [web, chat] = config.integrations
    expect(web).toEqual({ name: "web", type: "web", settings: {} })
    if (chat?.type !== "chat") throw new Error("expected the chat")
    expect(chat.settings.users).toEqual([42, 7])
    expect(chat.settings).not.toHaveProperty("apiRoot")
    expect(Redacted.value(chat.settings.token)).toBe("123")
    expect(secretsOf(config)).toEqual([chat.settings.token])
  })

  test("may name agents that are programs elsewhere", () => {
    const { agents } = good("agents: [{ name: ada }, { name: eve, kind: outside, integrations: [web] }]")
    expect(agents[0]).not.toHaveProperty("kind")
    expect(agents[1]).toMatchObject({
      name: "eve",
      settings: { kind: "outside" },
      soul: "",
      integrations: ["web"],
    })
  })

  test("an empty file is the built-in company", () => {
    expect(good("").agents).toEqual(builtInAgents)
    expect(good("# nothing yet\n").integrations.map(({ name }) => name)).toEqual(["web"])
  })

  test("the example in the repository is good", () => {
    const text = readFileSync(new URL("../../troupe.example.yaml", import.meta.url), "utf8")
    expect(good(text).agents.map(({ name }) => name)).toEqual(["ada", "bo"])
  })

  test("a file that declares the page itself decides who is on it", () => {
    const config = good(
      "agents: [{ name: ada, integrations: [] }]\nintegrations: [{ name: hall, type: web }]",
    )
    expect(config.agents[0]?.integrations).toEqual([])
    expect(config.integrations.map(({ name }) => name)).toEqual(["hall"])
  })

  test("fallbacks and escapes of variables", () => {
    const soul = (value: string, env?: Record<string, string>) =>
      good(`agents: [{ name: ada, soul: '${value}' }]`, env).agents[0]?.soul
    expect(soul("say $${HOME}")).toBe("say ${HOME}")
    expect(soul("${A:-calm} and ${B}", { B: "kind" })).toBe("calm and kind")
    expect(soul("${A:-}")).toContain("Teammate")
  })
})

describe("a bad file", () => {
  test.each([
    ["agents: [{ nam: ada }]", 'troupe.yaml:1:12: "nam" is not a setting here; did you mean "name"?'],
    ["agents:\n  - name: Ada", 'troupe.yaml:2:11: "agents[0].name" must be a name of lower-case letters'],
    ["agents:\n  - name: ada\n    interests: bug", 'troupe.yaml:3:16: "agents[0].interests" must be a list'],
    ["agents:\n  - title: x", 'troupe.yaml:2:5: "name" is missing; add it to agents[0].'],
    ["agents: [{ name: ada }, { name: ada }]", 'troupe.yaml:1:33: The name "ada" is used twice in agents'],
    [
      "agents: [{ name: eve, kind: outside, soul: x }]",
      'troupe.yaml:1:38: An outside agent thinks for itself, "soul" has no meaning here; remove it.',
    ],
    [
      "agents: [{ name: runtime, kind: outside }]",
      "troupe.yaml:1:18: An outside agent cannot be named runtime",
    ],
    ["colour: red", 'troupe.yaml:1:1: "colour" is not a setting here; known are agents, integrations'],
    [
      "agents: [{ name: a, integrations: [nowhere] }]",
      'troupe.yaml:1:36: There is no integration named "nowhere"; declare it under integrations, or name one of: web.',
    ],
    [
      "integrations: [{ name: x, type: fax }]",
      'There is no integration of type "fax"; write one of: web, chat.',
    ],
    [
      "integrations:\n  - { name: x, type: chat, token: a, mode: poling }",
      'troupe.yaml:2:44: "integrations[0].mode" must be "polling" or "webhook"; change it.',
    ],
    ["keep: { quietRooms: 1 }", 'troupe.yaml:1:21: "keep.quietRooms" must be '],
    ["budgets: { perRoot: -1 }", 'troupe.yaml:1:21: "budgets.perRoot" must be an amount of dollars'],
    ["a: 1\na: 2", "troupe.yaml:2:1: This key is written twice in the same block"],
    ["agents: [", "troupe.yaml:1:"],
    ["agents:\n\t- name: ada", "troupe.yaml:2:1: Tabs cannot indent YAML; use spaces."],
    ["just words", "The file must be a block of settings"],
    ["a: &x 1\nagents: *x", "troupe.yaml:2:9: Aliases (*x) are not used in this file; write the value out."],
    ["agents: [{ name: ${WHO} }]", "troupe.yaml:1:19: Inside [ ] and { } a variable must be quoted"],
  ])("%j names the place and the way out", (text, sentence) => {
    expect(bad(text).join("\n")).toContain(sentence)
  })

  test("a missing variable is named at its place, and only once", () => {
    expect(bad("integrations:\n  - name: x\n    type: chat\n    token: ${TOKEN}", { TOKEN: "" })).toEqual([
      "troupe.yaml:4:12: The environment variable TOKEN is not set; set it before starting, or remove this setting.",
    ])
  })

  test("all problems come at once, in the order of the file", () => {
    const problems = bad(`
agents:
  - nme: ada
    soul: 3x
integrations:
  - { name: a, type: chat, token: "\${NO}", extra: 1 }
  - { name: a, type: chat }
budgets: { perRoot: much }
`)
    expect(problems.map((problem) => problem.split(": ")[0])).toEqual([
      "troupe.yaml:3:5",
      "troupe.yaml:3:5",
      "troupe.yaml:6:35",
      "troupe.yaml:6:44",
      "troupe.yaml:7:5",
      "troupe.yaml:7:13",
      "troupe.yaml:8:21",
    ])
  })
})

describe("for every file", () => {
  test("no value of the environment is repeated in a problem", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9:_-]{12,40}$/).map((text) => `SECRET${text}`)
    const where = fc.constantFrom(
      (v: string) => `integrations: [{ name: "${v}", type: chat, token: x }]`,
      (v: string) => `integrations: [{ name: x, type: chat, token: x, mode: "${v}" }]`,
      (v: string) => `integrations: [{ name: x, type: chat, token: ["${v}"] }]`,
      (v: string) => `agents: [{ name: "${v}" }]`,
      (v: string) => `budgets: { perRoot: "${v}" }`,
      (v: string) => `prices: { m: "${v}" }`,
    )
    fc.assert(
      fc.property(secret, where, (value, file) => {
        expect(bad(file("${IT}"), { IT: value }).join("\n")).not.toContain(value)
      }),
    )
  })

  test("a variable can never change the shape of the file", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (value) => {
        const config = good("agents:\n  - name: ada\n    title: ${IT}\n", { IT: value })
        expect(config.agents[0]?.title).toBe(value)
      }),
    )
  })

  test("whatever was written is read back, and reading it is deterministic", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/)
    const words = fc.string({ minLength: 1 }).filter((text) => !text.includes("${"))
    const agents = fc.uniqueArray(
      fc.record({
        name,
        title: words,
        interests: fc.array(words),
      }),
      { minLength: 1, maxLength: 5, selector: (agent) => agent.name },
    )
    fc.assert(
      fc.property(agents, (agents) => {
        const text = stringify({ agents })
        expect(good(text).agents).toMatchObject(agents)
        expect(good(text)).toEqual(good(text))
      }),
    )
  })

  test("garbage gives problems with a place inside the file, never a crash", () => {
    const fragments = fc.array(
      fc.constantFrom(
        "agents:",
        "\n",
        "  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "name: ",
        "x",
        ": ",
        "*a",
        "&a ",
        "${X}",
        '"',
        "|",
      ),
      { maxLength: 24 },
    )
    fc.assert(
      fc.property(fragments, (parts) => {
        const text = parts.join("")
        const result = read(text)
        if (Result.isSuccess(result)) return
        for (const problem of result.failure.problems) {
          expect(problem.line).toBeLessThanOrEqual(text.split("\n").length)
          expect(problem.line).toBeGreaterThan(0)
          expect(problem.message).toMatch(/[.?]$/)
        }
      }),
      { numRuns: 500 },
    )
  })
})
