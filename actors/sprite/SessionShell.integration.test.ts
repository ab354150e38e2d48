import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { Sandbox, Sprites } from "../../integrations/sprites/index.ts"
import type { AgentId, ThreadId } from "../../runtime/index.ts"
import { makeSessionShell } from "./SessionShell.ts"
import type { SessionShell } from "./SessionShell.ts"
import { SessionStore } from "./SessionStore.ts"
import { startSprites, startWire } from "./testSprites.ts"
import type { TestSprites, Wire } from "./testSprites.ts"

const agent = "ada" as AgentId
const machine = "troupe-test-ada"

describe("SessionShell on the local Sprites server", () => {
  let sprites: TestSprites
  let wire: Wire
  let runtime: ManagedRuntime.ManagedRuntime<Sandbox | SessionStore, never>
  let threads = 0
  const scopes: Array<Scope.Closeable> = []

  beforeAll(async () => {
    sprites = await startSprites()
    wire = await startWire(sprites.url)
    runtime = ManagedRuntime.make(
      Layer.merge(
        Sprites.layer({ baseUrl: wire.url, token: Redacted.make(sprites.token) }),
        SessionStore.layerMemory,
      ),
    )
  })
  afterAll(async () => {
    for (const scope of scopes) await Effect.runPromise(Scope.close(scope, Exit.void))
    await runtime.dispose()
    await wire.close()
    await sprites.stop()
  })

  const newThread = () => `thread${threads++}` as ThreadId

  /** One life of the runtime. Ending it hangs up; the shell stays. After a crash it stores nothing more. */
  const life = async (thread = newThread()) => {
    const scope = await runtime.runPromise(Scope.make())
    scopes.push(scope)
    let crashed = false
    const store = await runtime.runPromise(SessionStore)
    const shell = await runtime.runPromise(
      makeSessionShell(agent, thread, machine).pipe(
        Scope.provide(scope),
        Effect.provideService(SessionStore, {
          ...store,
          save: (row) => Effect.suspend(() => (crashed ? Effect.never : store.save(row))),
        }),
      ),
    )
    const run = (command: string, timeoutMs = 20_000, onOutput?: (text: string) => void) =>
      runtime.runPromise(
        shell.run({ command, timeoutMs, callId: "call", ...(onOutput === undefined ? {} : { onOutput }) }),
      )
    return {
      thread,
      shell,
      run,
      end: () => runtime.runPromise(Scope.close(scope, Exit.void)),
      crash: () => void (crashed = true),
    }
  }

  /** Starts a command and resolves when it has printed `words`. */
  const running = (shell: SessionShell, command: string, words: string, timeoutMs = 60_000) =>
    new Promise<Fiber.Fiber<unknown, unknown>>((resolve) => {
      let seen = ""
      const fiber = runtime.runFork(
        shell.run({
          command,
          timeoutMs,
          callId: "running",
          onOutput: (text) => {
            seen += text
            if (seen.includes(words)) resolve(fiber)
          },
        }),
      )
    })

  it("keeps directory, variables, functions and arrays from command to command", async () => {
    const { run } = await life()
    expect(await run("cd /usr && export A=1 && f() { echo f $A; } && declare -a list=(x y)")).toMatchObject({
      exitCode: 0,
      cwd: "/usr",
      output: "",
      notes: [],
    })
    expect(await run("f; pwd; echo ${list[1]}")).toMatchObject({ output: "f 1\n/usr\ny\n", exitCode: 0 })
  })

  it("gives exit codes, stderr in order, syntax errors and quotes as they are", async () => {
    const { run } = await life()
    expect(await run("(exit 42)")).toMatchObject({ exitCode: 42 })
    expect((await run("echo 1; echo 2 >&2; echo 3")).output).toBe("1\n2\n3\n")
    expect((await run("if then")).exitCode).toBe(2)
    expect((await run(`echo 'it'"'"'s' "!x" $'\\t'; cat <<'END'\n$HOME 'quoted'\nEND`)).output).toBe(
      "it's !x \t\n$HOME 'quoted'\n",
    )
    expect(await run('cat; read -r x; echo "no input: $?"')).toMatchObject({ output: "no input: 1\n" })
  })

  it("stops a command at its time limit and keeps the shell with its state", async () => {
    const { run } = await life()
    await run("cd /usr; export KEPT=yes")
    for (const command of [
      "echo a; sleep 60; echo no",
      "while :; do :; done",
      "trap '' INT; sleep 61 | cat",
    ]) {
      const result = await run(command, 600)
      expect(result).toMatchObject({ timedOut: true, cwd: "/usr" })
      expect(result.ms).toBeLessThan(4_000)
      expect(result.notes.join()).toContain("stopped after 0.6 s")
    }
    expect(await run("echo $KEPT; pwd; pgrep -cf 'sleep 6[01]'")).toMatchObject({ output: "yes\n/usr\n0\n" })
  })

  it("goes on in the same shell after the runtime restarted", async () => {
    const first = await life()
    await first.run("cd /etc; export A=7; f() { echo still; }; echo $$ > ~/pid1")
    await first.end()
    const second = await life(first.thread)
    expect(await second.run("f; echo $A; pwd; [[ $$ == $(cat ~/pid1) ]] && echo same")).toMatchObject({
      output: "still\n7\n/etc\nsame\n",
      notes: [],
    })
  })

  it("stops a command that a crash left running, and says that its outcome is unknown", async () => {
    const first = await life()
    await running(first.shell, "cd /tmp; echo begun; sleep 300", "begun")
    first.crash()
    const second = await life(first.thread)
    const result = await second.run("echo next; pgrep -cf 'sleep 300'")
    expect(result.output).toBe("next\n0\n")
    expect(result.notes.join()).toMatch(
      /running when the runtime stopped was still running and has been stopped/,
    )
    expect(result.notes.join()).toContain("begun")
  })

  it("tells how a command ended that finished while the runtime was away", async () => {
    const first = await life()
    await running(
      first.shell,
      "echo begun; until [[ -e ~/go ]]; do sleep 0.05; done; echo done it; (exit 9)",
      "begun",
    )
    first.crash()
    const other = await life()
    await other.run("touch ~/go")
    const second = await life(first.thread)
    const result = await second.run("echo next")
    expect(result.output).toBe("next\n")
    expect(result.notes.join()).toMatch(/exit code 9/)
    expect(result.notes.join()).toContain("done it")
  })

  it("stops a command when asked, in under a second, and keeps the shell", async () => {
    const { shell, run } = await life()
    await run("export A=5")
    const fiber = await running(shell, "echo up; sleep 300", "up")
    const asked = performance.now()
    expect(await runtime.runPromise(shell.interrupt)).toBe(true)
    const result = await runtime.runPromise(Fiber.join(fiber))
    expect(performance.now() - asked).toBeLessThan(1_500)
    expect(result).toMatchObject({ exitCode: 130, timedOut: false })
    expect((await run("echo $A")).output).toBe("5\n")
    expect(await runtime.runPromise(shell.interrupt)).toBe(false)
  })

  it("stops a command whose turn was interrupted, before it takes the next", async () => {
    const { shell, run } = await life()
    const fiber = await running(shell, "echo up; sleep 333", "up")
    await runtime.runPromise(Fiber.interrupt(fiber))
    const result = await run("echo next; pgrep -cf 'sleep 333'")
    expect(result.output).toBe("next\n0\n")
    expect(result.notes.join()).toContain("interrupted command")
  })

  it("shows beginning and end of a flood, keeps more in a file, and stops it", async () => {
    const { run } = await life()
    const long = await run("seq 1 200000")
    expect(long.output.length).toBeLessThanOrEqual(17_000)
    expect(long.output).toMatch(/^1\n2\n/)
    expect(long.output).toMatch(/199999\n200000\n$/)
    expect(long.fullOutputPath).toMatch(/\.troupe\/output\/call\.log$/)
    expect((await run(`wc -l < ${long.fullOutputPath}`)).output.trim()).toBe("200000")
    const flood = await run("yes flood", 60_000)
    expect(flood.notes.join()).toContain("64 MiB")
    expect(flood.exitCode).toBe(130)
    expect((await run("echo fine")).output).toBe("fine\n")
  })

  it("makes binary output readable", async () => {
    const { run } = await life()
    expect((await run("printf 'a\\0b\\xff\\xc3\\xa9\\xc3('")).output).toBe("a\\x00b\\xffé\\xc3(")
  })

  it("opens a new shell in the last directory when the old one was killed, and says so", async () => {
    const { run } = await life()
    await run("cd /usr/bin; export GONE=1")
    const killed = await run("kill -9 $$")
    expect(killed.exitCode).toBe(137)
    expect(killed.notes.join()).toContain("killed")
    const next = await run("pwd; echo [$GONE]")
    expect(next.output).toBe("/usr/bin\n[]\n")
    expect(next.notes.join()).toContain("new one was opened in /usr/bin")
  })

  it("keeps variables and functions when a command ends the shell", async () => {
    const { run } = await life()
    const left = await run("cd /usr; export A=1; f() { echo f; }; set -e; false; echo never")
    expect(left).toMatchObject({ exitCode: 1, output: "" })
    expect(left.notes.join()).toContain("set -e")
    const next = await run("f; echo $A; pwd")
    expect(next.output).toBe("f\n1\n/usr\n")
    expect(next.notes.join()).toContain("were kept")
  })

  it("closes an idle shell and continues where it was", async () => {
    const { shell, run } = await life()
    await run("cd /usr; export A=3")
    await runtime.runPromise(shell.close)
    expect(await run("echo $A; pwd")).toMatchObject({ output: "3\n/usr\n", notes: [] })
  })

  it("runs the shells of two threads beside each other", async () => {
    const [one, two] = [await life(), await life()]
    await Promise.all([one.run("cd /usr; rm -f ~/a ~/b"), two.run("cd /etc")])
    const [first, second] = await Promise.all([
      one.run("touch ~/a; until [[ -e ~/b ]]; do sleep 0.02; done; pwd"),
      two.run("touch ~/b; until [[ -e ~/a ]]; do sleep 0.02; done; pwd"),
    ])
    expect([first.output, second.output]).toEqual(["/usr\n", "/etc\n"])
  })

  it("goes on with a command when the connection breaks, with all of its output and nothing twice", async () => {
    const { run } = await life()
    await run("echo earlier; rm -f ~/cut")
    let seen = ""
    const result = await run(
      "echo one; until [[ -e ~/cut ]]; do sleep 0.02; done; echo two; (exit 4)",
      20_000,
      (text) => {
        if (seen === "") {
          wire.cut()
          void life().then((other) => other.run("touch ~/cut"))
        }
        seen += text
      },
    )
    expect(result).toMatchObject({ output: "one\ntwo\n", exitCode: 4, notes: [] })
    expect(seen).toBe("one\ntwo\n")
  })

  it("says that output may be missing when the server no longer has the beginning of it", async () => {
    const { run } = await life()
    await run("rm -f ~/cut2")
    let seen = 0
    const result = await run(
      "head -c 3000000 /dev/zero | tr '\\0' x; echo; until [[ -e ~/cut2 ]]; do sleep 0.02; done; echo end; (exit 5)",
      20_000,
      (text) => {
        seen += text.length
        if (seen !== 3_000_001) return
        wire.cut()
        void life().then((other) => other.run("touch ~/cut2"))
      },
    )
    expect(result.exitCode).toBe(5)
    expect(result.output).toMatch(/^xxx[^]*\nend\n$/)
    expect(result.notes.join()).toContain("may be missing or doubled")
  })

  it("finds the shell again when the connection broke while nothing ran", async () => {
    const { run } = await life()
    await run("cd /usr; export A=8; n=0")
    wire.cut()
    expect(await run("n=$((n + 1)); echo $A $n; pwd")).toMatchObject({ output: "8 1\n/usr\n", notes: [] })
  })

  it("survives a server that dies in the middle of a command: outcome unknown, then a new shell in the last directory", async () => {
    const { shell, run } = await life()
    await run("cd /usr")
    const fiber = await running(shell, "echo up; sleep 300", "up")
    await sprites.restart()
    const result = await runtime.runPromise(Fiber.join(fiber))
    expect(result).toMatchObject({ exitCode: null, timedOut: false })
    expect(JSON.stringify(result)).toContain("whether it finished is unknown")
    const next = await run("pwd")
    expect(next.output).toBe("/usr\n")
    expect(next.notes.join()).toContain("new one was opened in /usr")
  })

  it("tells the agent when its computer was replaced", async () => {
    const { run } = await life()
    await run("cd /usr")
    await runtime.runPromise(Effect.flatMap(Sandbox, (sandbox) => sandbox.destroy(machine)))
    // The first may still be typed into the shell that is being killed.
    const results = [await run("pwd"), await run("pwd")]
    expect(results.at(-1)?.output).toBe("/usr\n")
    expect(results.flatMap(({ notes }) => notes).join()).toContain("replaced by a new, empty one")
  })
})
