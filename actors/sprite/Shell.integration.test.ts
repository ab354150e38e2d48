import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { Sandbox, Sprites } from "../../integrations/sprites/index.ts"
import { Actor } from "../../runtime/index.ts"
import type { AgentId, ThreadId, WorkspaceId } from "../../runtime/index.ts"
import { machineName } from "./MachineName.ts"
import { makeReaper } from "./Reap.ts"
import { SessionStore } from "./SessionStore.ts"
import { Shell } from "./Shell.ts"
import { shellArgv } from "./ShellScript.ts"
import { startSprites } from "./testSprites.ts"
import type { TestSprites } from "./testSprites.ts"

const workspace = "ws" as WorkspaceId
const ada = "ada" as AgentId
const bo = "bo" as AgentId
const thread = (name: string) => name as ThreadId

describe("Shell on the local Sprites server", () => {
  let sprites: TestSprites
  type Services = Shell | Sandbox | SessionStore | Actor.ActorSystem
  const runtimes: Array<ManagedRuntime.ManagedRuntime<Services, never>> = []

  beforeAll(async () => {
    sprites = await startSprites()
  })
  afterAll(async () => {
    for (const runtime of runtimes) await runtime.dispose()
    await sprites.stop()
  })

  const world = (idleAfter?: number) => {
    const outside = Layer.mergeAll(
      Sprites.layer({ baseUrl: sprites.url, token: Redacted.make(sprites.token) }),
      SessionStore.layerMemory,
      Actor.ActorSystem.layer,
    )
    const runtime = ManagedRuntime.make(
      Layer.provideMerge(
        Shell.layer(idleAfter === undefined ? { workspace } : { workspace, idleAfter }),
        outside,
      ),
    )
    runtimes.push(runtime)
    const run = (agent: AgentId, room: ThreadId, command: string, onOutput?: (text: string) => void) =>
      Effect.flatMap(Shell, (shell) =>
        shell.run({
          agent,
          thread: room,
          command,
          timeoutMs: 20_000,
          callId: "call",
          ...(onOutput === undefined ? {} : { onOutput }),
        }),
      )
    /** Starts a command and resolves when it has printed `words`. */
    const running = (agent: AgentId, room: ThreadId, command: string, words: string) =>
      new Promise<Fiber.Fiber<unknown, unknown>>((resolve) => {
        const fiber = runtime.runFork(
          run(agent, room, command, (text) => {
            if (text.includes(words)) resolve(fiber)
          }),
        )
      })
    return { runtime, run, running }
  }

  it("runs the commands of one shell in order, also when they are asked for at once", async () => {
    const { runtime, run } = world()
    const room = thread("order")
    const results = await runtime.runPromise(
      Effect.all(
        [
          run(ada, room, "sleep 0.2; n=1; echo $n"),
          run(ada, room, "n=$((n + 1)); echo $n"),
          run(ada, room, "n=$((n * 10)); echo $n"),
        ],
        { concurrency: "unbounded" },
      ),
    )
    expect(results.map(({ output }) => output)).toEqual(["1\n", "2\n", "20\n"])
  })

  it("runs the shells of two agents and of two threads beside each other", async () => {
    const { runtime, run, running } = world()
    const busy = await running(ada, thread("busy"), "echo up; sleep 300", "up")
    const [other, bos] = await runtime.runPromise(
      Effect.all(
        [run(ada, thread("free"), "echo ada; touch ~/of-ada"), run(bo, thread("busy"), "echo bo; ls ~")],
        {
          concurrency: "unbounded",
        },
      ),
    )
    expect([other.output, bos.output]).toEqual(["ada\n", "bo\n"])
    await runtime.runPromise(Fiber.interrupt(busy))
  })

  it("answers where the shell is and stops a command while that command runs", async () => {
    const { runtime, run, running } = world()
    const room = thread("steer")
    await runtime.runPromise(run(ada, room, "cd /usr"))
    const fiber = await running(ada, room, "echo up; sleep 300", "up")
    const shell = await runtime.runPromise(Shell)
    expect(await runtime.runPromise(shell.place(ada, room))).toMatchObject({ cwd: "/usr" })
    expect(await runtime.runPromise(shell.interrupt(ada, room))).toBe(true)
    expect(await runtime.runPromise(Fiber.join(fiber))).toMatchObject({ exitCode: 130, cwd: "/usr" })
    expect(await runtime.runPromise(shell.interrupt(ada, room))).toBe(false)
    expect(await runtime.runPromise(shell.interrupt(ada, thread("never used")))).toBe(false)
  })

  it("stops the command of an asker that was interrupted and drops one that still waits", async () => {
    const { runtime, run, running } = world()
    const room = thread("cancel")
    const first = await running(ada, room, "echo up; sleep 300", "up")
    const second = runtime.runFork(run(ada, room, "touch ~/second"))
    const third = runtime.runFork(run(ada, room, "ls ~/second; pgrep -cf 'sleep 300'"))
    await runtime.runPromise(Fiber.interrupt(second))
    await runtime.runPromise(Fiber.interrupt(first))
    const result = await runtime.runPromise(Fiber.join(third))
    expect(result.output).toMatch(/No such file[^]*\n0\n$/)
    expect(result.notes.join()).toContain("interrupted command")
  })

  it("closes a shell that is idle, stops its actor, and continues where it was", async () => {
    const { runtime, run } = world(50)
    const room = thread("idle")
    await runtime.runPromise(run(ada, room, "cd /usr; export A=1"))
    const system = await runtime.runPromise(Actor.ActorSystem)
    await expect.poll(() => runtime.runPromise(system.tree), { timeout: 10_000, interval: 20 }).toEqual([])
    const store = await runtime.runPromise(SessionStore)
    expect(await runtime.runPromise(store.load(ada, room))).toMatchObject({ session: "", state: "closed" })
    expect(await runtime.runPromise(run(ada, room, "pwd; echo $A"))).toMatchObject({
      output: "/usr\n1\n",
      notes: [],
    })
  })

  it("reaps machines of nobody, shells without a row at the second look, and nothing else", async () => {
    const { runtime, run } = world()
    const room = thread("reap")
    await runtime.runPromise(run(ada, room, "export A=1"))
    const orphan = await runtime.runPromise(
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        yield* sandbox.open(machineName(workspace, "gone" as AgentId))
        yield* sandbox.open("troupe-other-x")
        const machine = yield* sandbox.open(machineName(workspace, ada))
        const idle = { detachable: true, onOutput: () => {} }
        yield* Effect.scoped(machine.spawn({ argv: ["sleep", "200"], ...idle }))
        return (yield* Effect.scoped(machine.spawn({ argv: shellArgv("orphan"), ...idle }))).id
      }),
    )
    const reap = makeReaper({ workspace })
    const first = await runtime.runPromise(reap([ada, bo]))
    expect(first).toEqual({ machines: [machineName(workspace, "gone" as AgentId)], sessions: [] })
    // Other tests of this file left shells whose rows were in other stores.
    const second = await runtime.runPromise(reap([ada, bo]))
    expect(second.machines).toEqual([])
    expect(second.sessions).toContain(`${machineName(workspace, ada)}/${orphan}`)
    expect(await runtime.runPromise(run(ada, room, "echo $A"))).toMatchObject({ output: "1\n", notes: [] })
    const machine = await runtime.runPromise(
      Effect.flatMap(Sandbox, (s) => s.open(machineName(workspace, ada))),
    )
    expect(
      (await runtime.runPromise(machine.sessions)).some(({ command }) => command.includes("sleep 200")),
    ).toBe(true)
    expect(await runtime.runPromise(Effect.flatMap(Sandbox, (s) => s.names("troupe-other-")))).toEqual([
      "troupe-other-x",
    ])
  })
})
