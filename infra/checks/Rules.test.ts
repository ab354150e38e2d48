import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bridges, breachesOf } from "./Rules.ts"
import { readSource } from "./Source.ts"
import { breachesIn } from "./Tree.ts"

const check = (path: string, ...lines: ReadonlyArray<string>) =>
  breachesOf(readSource(path, lines.join("\n"))).map(({ line, message }) => `${line}: ${message}`)

describe("the direction of folders", () => {
  it.each([
    ["runtime/room/Room.ts", "../../actors/agent/index.ts"],
    ["runtime/room/Room.ts", "../../integrations/web/index.ts"],
    ["integrations/web/Page.ts", "../../actors/agent/index.ts"],
    ["integrations/web/Page.ts", "../../admin/api/index.ts"],
    ["actors/agent/Agent.ts", "../../admin/api/index.ts"],
    ["runtime/room/Room.ts", "../../infra/Run.ts"],
    ["actors/agent/Agent.ts", "../../infra/testing/index.ts"],
    ["integrations/web/Page.ts", "../../infra/Banner.ts"],
    ["admin/api/Api.ts", "../../infra/Banner.ts"],
  ])("refuses in %s the import of %s", (path, specifier) => {
    expect(check(path, "", `import { x } from "${specifier}"`)).toEqual([
      expect.stringMatching(/^2: imports /),
    ])
    expect(check(path, `const x = await import("${specifier}")`)).toHaveLength(1)
    expect(check(path, `export * from "${specifier}"`)).toHaveLength(1)
    expect(check(path, `import "${specifier}"`)).toHaveLength(1)
    expect(check(path, "import {", "  type x,", `} from "${specifier}"`)).toHaveLength(1)
  })

  it.each([
    ["infra/Start.ts", "../actors/agent/index.ts"],
    ["infra/Start.ts", "./Banner.ts"],
    ["admin/api/Api.ts", "../../actors/agent/index.ts"],
    ["actors/agent/Agent.ts", "../conversation/index.ts"],
    ["actors/agent/Agent.ts", "../../runtime/index.ts"],
    ["actors/agent/Agent.ts", "../../integrations/sprites/index.ts"],
    ["integrations/web/Page.ts", "../../runtime/index.ts"],
    ["runtime/room/Room.ts", "../store/hot/Accept.ts"],
  ])("lets %s import %s", (path, specifier) => {
    expect(check(path, `import { x } from "${specifier}"`)).toEqual([])
  })

  it.each([
    "actors/agent/Agent.test.ts",
    "actors/agent/Agent.integration.test.ts",
    "runtime/bus/Bus.contract.ts",
    "integrations/sprites/SandboxSuite.ts",
    "integrations/anthropic/Model.suite.ts",
    "runtime/store/testing.ts",
    "integrations/web/WebTest.ts",
  ])("lets the test file %s use the test servers", (path) => {
    expect(check(path, `import { testDatabase } from "../../infra/testing/index.ts"`)).toEqual([])
  })

  it("lets benchmarks and the demo use what tests use", () => {
    expect(check("infra/demo/Scene.ts", `import { run } from "../e2e/RuntimeProcess.ts"`)).toEqual([])
    expect(check("infra/bench/BareBot.ts", `import { Bot } from "grammy"`)).toEqual([])
  })

  it("keeps what is for tests out of the product", () => {
    for (const [path, specifier] of [
      ["runtime/lease/Leases.ts", "../store/testing.ts"],
      ["infra/Start.ts", "./bench/Stage.ts"],
    ] as const)
      expect(check(path, `import { db } from "${specifier}"`)).toEqual([
        expect.stringContaining("which is for tests"),
      ])
  })

  it("keeps vendors apart", () => {
    expect(check("integrations/web/Page.ts", `import { x } from "../telegram/index.ts"`)).toEqual([
      expect.stringContaining("vendors never import each other"),
    ])
  })

  it("lets actors see an integration by its public list only", () => {
    expect(
      check("actors/agent/Agent.ts", `import { x } from "../../integrations/anthropic/Wire.ts"`),
    ).toEqual([expect.stringContaining("integrations/anthropic/index.ts only")])
  })

  it("lets other folders see the runtime by its public list only", () => {
    expect(check("actors/agent/Agent.ts", `import { x } from "../../runtime/store/Sql.ts"`)).toEqual([
      expect.stringContaining("use runtime/index.ts"),
    ])
  })
})

describe("the homes of vendors' packages", () => {
  it.each([
    ["nact", "runtime/room/Room.ts", "runtime/actor/Ticker.ts"],
    ["@nats-io/jetstream", "runtime/room/Room.ts", "runtime/bus/BusNats.ts"],
    ["postgres", "runtime/lease/Leases.ts", "runtime/store/Sql.ts"],
    ["drizzle-orm/pg-core", "runtime/lease/Leases.ts", "runtime/store/schema.ts"],
    ["grammy", "actors/agent/Agent.ts", "integrations/telegram/TelegramApi.ts"],
    ["@anthropic-ai/sdk", "actors/conversation/turn/Turn.ts", "integrations/anthropic/Anthropic.ts"],
    ["@fly/sprites", "actors/sprite/Shell.ts", "integrations/sprites/Sprites.ts"],
    ["@fly/sprites", "infra/Servers.ts", "infra/embedded/sprites/Process.integration.test.ts"],
    ["nact", "infra/Start.ts", "infra/bench/actors/Nact.ts"],
    ["@anthropic-ai/sdk", "infra/Start.ts", "infra/bench/Model.ts"],
  ])("refuses %s in %s and lets %s use it", (specifier, away, home) => {
    expect(check(away, `import { x } from "${specifier}"`)).toEqual([
      expect.stringContaining(`1: imports ${specifier}; `),
    ])
    expect(check(away, `import type { X } from "${specifier}"`)).toHaveLength(1)
    expect(check(home, `import { x } from "${specifier}"`)).toEqual([])
  })

  it("does not take a package for one whose name begins like it", () => {
    expect(
      check("runtime/room/Room.ts", `import { x } from "postgres-interval"`, `import y from "nactor"`),
    ).toEqual([])
  })

  it("refuses the effect barrel everywhere", () => {
    for (const path of ["runtime/room/Room.ts", "infra/Start.ts", "actors/agent/Agent.test.ts"])
      expect(check(path, `import { Effect } from "effect"`)).toHaveLength(1)
    expect(check("runtime/room/Room.ts", `import * as Effect from "effect/Effect"`)).toEqual([])
  })
})

describe("the bridges to the host", () => {
  it.each(["process.env", "Date.now()", "setTimeout(f, 1)", "setInterval(f, 1)", "new Promise((f) => f(1))"])(
    "refuses %s in the product and allows it in infra and tests",
    (code) => {
      expect(check("actors/agent/Agent.ts", "", "", `const x = ${code}`)).toEqual([
        expect.stringMatching(/^3: uses /),
      ])
      expect(check("infra/Start.ts", `const x = ${code}`)).toEqual([])
      expect(check("actors/agent/Agent.test.ts", `const x = ${code}`)).toEqual([])
    },
  )

  it("refuses the environment by its other name", () => {
    expect(check("runtime/room/Room.ts", `import { env } from "node:process"`)).toHaveLength(1)
    expect(check("runtime/room/Room.ts", `import { env as e, pid } from "node:process"`)).toHaveLength(1)
    expect(check("runtime/room/Room.ts", `import { pid } from "node:process"`)).toEqual([])
  })

  it("allows a bridge its own words and no others", () => {
    expect(check("runtime/actor/Timer.ts", "setTimeout(f, 1)")).toEqual([])
    expect(check("runtime/actor/Timer.ts", "Date.now()")).toHaveLength(1)
  })

  it("is not misled by comments, strings, templates and regular expressions", () => {
    expect(
      check(
        "actors/agent/Agent.ts",
        "// Date.now() is not used here",
        "/* new Promise(",
        "   setTimeout( */",
        `const a = "process.env"`,
        'const b = `import x from "nact" Date.now() ${name(`process.env`)}`',
        `const c = /["'] from "effect"/.test(b)`,
        `const d = 6 / 2 / 3`,
        `request.setTimeout(5)`,
      ),
    ).toEqual([])
    expect(check("actors/agent/Agent.ts", "const a = `${Date.now()}`")).toHaveLength(1)
    expect(check("actors/agent/Agent.ts", `const a = b / 2, c = Date.now() / 1000`)).toHaveLength(1)
  })
})

const root = join(import.meta.dirname, "../..")

it("finds no breach in this repository", () => {
  expect(breachesIn(root)).toEqual([])
})

it("needs each exception it lists", () => {
  const used = (path: string, word: string) =>
    breachesIn(
      root,
      bridges.filter((b) => b.path !== path),
    ).some((breach) => breach.path.startsWith(path) && breach.message.includes(word))
  expect(
    bridges.flatMap((b) => b.words.filter((w) => !used(b.path, w)).map((w) => `${b.path} ${w}`)),
  ).toEqual([])
})
