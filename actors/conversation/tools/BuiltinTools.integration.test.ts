import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { Sprites } from "../../../integrations/sprites/index.ts"
import type { Sandbox } from "../../../integrations/sprites/index.ts"
import { Actor, Blobs } from "../../../runtime/index.ts"
import type {
  AgentId,
  Attachment,
  BlobId,
  DoorId,
  EventId,
  ThreadId,
  TurnId,
  WorkspaceId,
} from "../../../runtime/index.ts"
import { SessionStore, Shell } from "../../sprite/index.ts"
import { startSprites } from "../../sprite/testSprites.ts"
import type { TestSprites } from "../../sprite/testSprites.ts"
import { sandboxTools } from "./BuiltinTools.ts"
import { TurnContext, type Tool, type ToolResult } from "./Tool.ts"

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
)
const attachment = (name: string, blob: string | null): Attachment => ({
  kind: "document",
  name,
  mime: "text/plain",
  size: 5,
  blob: blob as BlobId | null,
})

describe("the built-in tools on the local Sprites server", () => {
  let sprites: TestSprites
  let runtime: ManagedRuntime.ManagedRuntime<
    Shell | Blobs | Sandbox | SessionStore | Actor.ActorSystem,
    never
  >
  let tools: ReadonlyMap<string, Tool>

  beforeAll(async () => {
    sprites = await startSprites()
    const outside = Layer.mergeAll(
      Sprites.layer({ baseUrl: sprites.url, token: Redacted.make(sprites.token) }),
      SessionStore.layerMemory,
      Actor.ActorSystem.layer,
      Layer.succeed(Blobs, {
        store: () => Effect.die("not used"),
        read: (blob) =>
          blob === ("b1" as BlobId)
            ? Effect.succeed({ bytes: Buffer.from("hello"), mime: "text/plain", name: "from outside.txt" })
            : Effect.succeed(undefined),
      }),
    )
    runtime = ManagedRuntime.make(
      Layer.provideMerge(Shell.layer({ workspace: "ws" as WorkspaceId }), outside),
    )
    tools = new Map((await runtime.runPromise(sandboxTools)).map((tool) => [tool.spec.name, tool]))
    await use("shell", { command: "mkdir -p ~/desk/src/deep ~/desk/node_modules/x && cd ~/desk" })
  })
  afterAll(async () => {
    await runtime.dispose()
    await sprites.stop()
  })

  const context = TurnContext.of({
    agent: "ada" as AgentId,
    agentName: "ada",
    door: "door" as DoorId,
    thread: "room" as ThreadId,
    event: "event" as EventId,
    call: "call",
    n: 2,
    turn: "turn" as TurnId,
    fence: 1,
    principal: "door:1",
    root: "root" as EventId,
    hop: 0,
    attachments: [
      attachment("../evil.txt", "b1"),
      attachment("lost.txt", "b2"),
      attachment("huge.bin", null),
    ],
  })
  const use = (name: string, input: unknown): Promise<ToolResult> =>
    runtime.runPromise(tools.get(name)!.run(input).pipe(Effect.provideService(TurnContext, context)))
  const text = async (name: string, input: unknown) => String((await use(name, input)).content)

  it("describes itself to the model in the same bytes every time", async () => {
    const again = await runtime.runPromise(sandboxTools)
    expect(JSON.stringify(again.map(({ spec }) => spec))).toBe(
      JSON.stringify([...tools.values()].map(({ spec }) => spec)),
    )
    expect(tools.get("edit_file")!.spec.input_schema).toEqual({
      type: "object",
      properties: {
        path: { type: "string", description: expect.stringContaining("relative") },
        old: { type: "string", minLength: 1, description: expect.any(String) },
        new: { type: "string", description: expect.any(String) },
        all: { type: "boolean", description: expect.any(String) },
      },
      required: ["path", "old", "new"],
      additionalProperties: false,
    })
  })

  it("tells the model everything that is wrong with its input, and does nothing", async () => {
    const result = await use("shell", { comand: "touch ~/done", timeout_seconds: 0.5 })
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(/not valid, so nothing was done/)
    expect(result.content).toContain('"comand"')
    expect(result.content).toMatch(/Missing key\s+at \["command"\]/)
    expect(result.content).toContain("integer")
    for (const tool of tools.values()) expect(tool.summary("nonsense")).toBe(tool.spec.name)
  })

  it("sums a call up in one line", () => {
    expect(tools.get("shell")!.summary({ command: "cd x\n  make" })).toBe("cd x ⏎ make")
    expect(tools.get("shell")!.summary({ command: "x".repeat(999) })).toHaveLength(200)
  })

  it("shell gives output, exit code and directory", async () => {
    expect(await use("shell", { command: "echo out; (exit 3)" })).toEqual({
      content: "out\n[exit code 3, now in /home/sprite/desk]",
      ok: false,
      exitCode: 3,
    })
    const slow = await use("shell", { command: "echo a; sleep 60", timeout_seconds: 1 })
    expect(slow.content).toMatch(/^\[note\] The command was stopped after 1 s[^]*\na\n[^]*exit code 130/)
  })

  it("writes, reads and edits a file, and shows what changed", async () => {
    const made = await text("write_file", { path: "src/a.ts", content: "one\ntwo\nthree\n" })
    expect(made).toBe("--- /dev/null\n+++ /home/sprite/desk/src/a.ts\n@@ -0,0 +1,3 @@\n+one\n+two\n+three\n")
    expect(await text("read_file", { path: "src/a.ts" })).toBe("     1\tone\n     2\ttwo\n     3\tthree")
    const edited = await text("edit_file", { path: "~/desk/src/a.ts", old: "two", new: "$& zwei" })
    expect(edited).toContain("-two\n+$& zwei\n")
    expect(await text("shell", { command: "cat src/a.ts" })).toContain("one\n$& zwei\nthree\n")
    expect(await text("write_file", { path: "src/a.ts", content: "one\n$& zwei\nthree\n" })).toContain(
      "unchanged",
    )
  })

  it("keeps a program executable when it edits it", async () => {
    await use("shell", { command: "printf '#!/bin/sh\\necho old\\n' > run.sh; chmod 755 run.sh" })
    await use("edit_file", { path: "run.sh", old: "old", new: "new" })
    expect(await text("shell", { command: "stat -c %a run.sh; cat run.sh" })).toContain(
      "755\n#!/bin/sh\necho new\n",
    )
  })

  it("refuses an edit that is not clear, and says why", async () => {
    await use("write_file", { path: "e.txt", content: "a\nb\na\n  spaced  out\n" })
    expect(await text("edit_file", { path: "e.txt", old: "a", new: "z" })).toMatch(
      /occurs 2 times \(lines 1, 3\)|occurs 3 times/,
    )
    expect(await text("edit_file", { path: "e.txt", old: "nowhere", new: "z" })).toContain(
      "does not occur in it",
    )
    expect(await text("edit_file", { path: "e.txt", old: "spaced out", new: "z" })).toContain(
      "line 4 differs only in white space",
    )
    expect(await text("edit_file", { path: "e.txt", old: "b", new: "b" })).toContain("the same")
    expect(await text("edit_file", { path: "none.txt", old: "b", new: "c" })).toContain("no file")
    expect(await use("edit_file", { path: "e.txt", old: "a\n", new: "", all: true })).toMatchObject({
      ok: true,
    })
    expect(await text("read_file", { path: "e.txt" })).toBe("     1\tb\n     2\t  spaced  out")
    await use("shell", { command: "printf 'a\\377b' > bin" })
    expect(await text("edit_file", { path: "bin", old: "a", new: "c" })).toContain("not a UTF-8 text")
  })

  it("reads by pages, and says how to go on", async () => {
    await use("shell", {
      command:
        "seq -f 'line %.0f' 1 5000 > long.txt; head -c 3000 /dev/zero | tr '\\0' x > wide.txt; touch empty",
    })
    expect(await text("read_file", { path: "long.txt", offset: 10, limit: 2 })).toBe(
      "    10\tline 10\n    11\tline 11\n[... the file has 5000 lines; continue with offset 12 ...]",
    )
    const first = await text("read_file", { path: "long.txt" })
    expect(first.length).toBeLessThan(16_500)
    const next = Number(/offset (\d+) \.\.\.\]$/.exec(first)?.[1])
    expect(await text("read_file", { path: "long.txt", offset: next, limit: 1 })).toContain(`line ${next}\n`)
    expect(await text("read_file", { path: "long.txt", offset: 5000 })).toBe("  5000\tline 5000")
    expect(await text("read_file", { path: "long.txt", offset: 5001 })).toContain("beyond its end")
    expect(await text("read_file", { path: "wide.txt" })).toContain("1000 more characters")
    expect(await text("read_file", { path: "empty" })).toBe("(the file is empty)")
  })

  it("makes bytes visible that are not text, shows pictures, and names what cannot be read", async () => {
    await use("shell", { command: "printf 'a\\0\\377\\303\\251\\n' > bytes" })
    expect(await text("read_file", { path: "bytes" })).toBe("     1\ta\\x00\\xffé")
    await use("shell", { command: `echo ${picture.toString("base64")} | base64 -d > p.png` })
    expect((await use("read_file", { path: "p.png" })).content).toEqual([
      {
        type: "image",
        source: { type: "base64", media_type: "image/png", data: picture.toString("base64") },
      },
    ])
    expect(await text("read_file", { path: "/nowhere" })).toBe("/nowhere: There is no such file.")
    expect(await text("read_file", { path: "src" })).toContain("It is a directory")
    expect(await text("read_file", { path: "/dev/zero" })).toContain("not a regular file")
    expect((await use("read_file", { path: "a\0b" })).ok).toBe(false)
  })

  it("lists, finds files and finds lines", async () => {
    await use("shell", {
      command:
        "rm -rf find && mkdir -p find/src/deep find/node_modules/x && cd find && echo 'const x = needle' > src/deep/a.ts && " +
        "echo 'NEEDLE' > src/b.js && echo needle > node_modules/x/c.ts && touch -d '2020-01-01' src/b.js 'odd name.ts'",
    })
    expect(await text("list", {})).toBe("/home/sprite/desk/find:\nnode_modules/\nsrc/\nodd name.ts  0")
    expect(await text("list", { path: "~/desk/find/none" })).toContain("/home/sprite/desk/find/none")
    expect(await text("glob", { pattern: "**/*.{ts,js}" })).toMatch(/^src\/deep\/a\.ts\n/)
    expect((await text("glob", { pattern: "**/*.{ts,js}" })).split("\n").sort()).toEqual([
      "odd name.ts",
      "src/b.js",
      "src/deep/a.ts",
    ])
    expect(await text("glob", { pattern: "node_modules/**/*.ts" })).toBe("node_modules/x/c.ts")
    expect(await text("glob", { pattern: "*.ts", path: "src/deep" })).toBe("a.ts")
    expect(await text("glob", { pattern: "*.nope" })).toBe("No files match.")
    expect((await use("glob", { pattern: "*", path: "/nowhere" })).ok).toBe(false)
    expect(await text("grep", { pattern: "need(le)?" })).toBe("src/deep/a.ts:1:const x = needle")
    expect((await text("grep", { pattern: "needle", ignore_case: true })).split("\n")).toHaveLength(2)
    expect(await text("grep", { pattern: "needle", include: "*.js" })).toBe("No lines match.")
    expect(await text("grep", { pattern: "(" })).toMatch(/Unmatched/)
    await use("shell", { command: "cd .." })
  })

  it("keeps long results within bounds, and the rest in a file that can be read", async () => {
    await use("shell", {
      command: "mkdir -p many && cd many && for i in {1..3000}; do echo hit $i; done > hits.txt; cd ..",
    })
    const found = await text("grep", { pattern: "hit", path: "many" })
    expect(found.length).toBeLessThan(16_500)
    expect(found).toMatch(/hits\.txt:3000:hit 3000$/)
    const file = /read them in (\S+) /.exec(found)?.[1]
    expect(await text("grep", { pattern: "hit 1500$", path: file })).toContain("hits.txt:1500:hit 1500")
  })

  it("puts a file that came with the words onto the computer, under a harmless name", async () => {
    expect(await text("attachment", { name: "../evil.txt" })).toBe(
      "/home/sprite/attachments/.._evil.txt (text/plain, 5 bytes)",
    )
    expect(await text("attachment", { name: "../evil.txt", path: "here.txt" })).toContain(
      "/home/sprite/desk/here.txt",
    )
    expect(await text("shell", { command: "cat here.txt" })).toContain("hello")
    expect(await text("attachment", { name: "huge.bin" })).toContain("was not fetched")
    expect(await text("attachment", { name: "lost.txt" })).toBe("lost.txt is not kept any more.")
    expect(await text("attachment", { name: "x" })).toContain("There are: ../evil.txt, lost.txt, huge.bin")
  })

  it("answers in words when the sandbox server is gone", async () => {
    await sprites.stop()
    const result = await use("list", {})
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(/Could not list .*Try again/)
    sprites = await startSprites()
  })
})
