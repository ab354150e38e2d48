/**
 * The contract of the `Sandbox` port as tests. The local server runs it in this repository; with SPRITES_TOKEN set in
 * a test file of one's own it runs against Fly in the same way. It makes machines whose names start with `prefix`
 * and deletes them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { Sandbox } from "./Sandbox.ts"
import type { Machine, SandboxError, Session, SpawnOptions } from "./Sandbox.ts"

/** Collects what a process says and lets a test wait for words in it. */
const listener = () => {
  const chunks: Array<Uint8Array> = []
  const waiting = new Set<() => void>()
  const text = () => Buffer.concat(chunks).toString("utf8")
  return {
    text,
    bytes: () => Buffer.concat(chunks),
    onOutput: (_: "stdout" | "stderr", chunk: Uint8Array) => {
      chunks.push(chunk)
      for (const check of waiting) check()
    },
    until: (words: string) =>
      Effect.callback<void>((resume) => {
        const check = () => {
          if (!text().includes(words)) return
          waiting.delete(check)
          resume(Effect.void)
        }
        waiting.add(check)
        check()
      }).pipe(Effect.timeout("10 seconds")),
  }
}

export const suite = (name: string, layer: Layer.Layer<Sandbox>, prefix = "troupe-suite-"): void => {
  describe(`Sandbox: ${name}`, () => {
    const machineName = `${prefix}a`
    const runtime = ManagedRuntime.make(layer)
    let machine: Machine

    const run = <A>(effect: Effect.Effect<A, unknown, Sandbox | Scope.Scope>) =>
      runtime.runPromise(Effect.scoped(effect))
    const bash = (script: string, more: Partial<SpawnOptions> = {}) => ({
      argv: ["bash", "-c", script],
      detachable: false,
      onOutput: () => {},
      ...more,
    })
    const failure = <A, R>(effect: Effect.Effect<A, SandboxError, R>) =>
      Effect.flip(effect).pipe(Effect.map(({ kind }) => kind))
    const kill = (session: Session) => session.kill("KILL").pipe(Effect.ignore)

    beforeAll(async () => {
      await run(Effect.flatMap(Sandbox, (sandbox) => sandbox.destroy(machineName)))
      machine = await run(Effect.flatMap(Sandbox, (sandbox) => sandbox.open(machineName)))
    })
    afterAll(async () => {
      await run(Effect.flatMap(Sandbox, (sandbox) => sandbox.destroy(machineName)))
      await runtime.dispose()
    })

    it("creates a machine once and finds it again", async () => {
      expect(machine.fresh).toBe(true)
      const again = await run(Effect.flatMap(Sandbox, (sandbox) => sandbox.open(machineName)))
      expect(again.fresh).toBe(false)
      expect(await run(Effect.flatMap(Sandbox, (sandbox) => sandbox.names(prefix)))).toContain(machineName)
    })

    it("refuses a name that no machine can have", async () => {
      expect(await run(failure(Effect.flatMap(Sandbox, (sandbox) => sandbox.open("Not a name"))))).toBe(
        "invalid",
      )
    })

    it("delivers all output of both streams, then the exit code", async () => {
      const heard = { stdout: "", stderr: "" }
      const code = await run(
        machine
          .spawn(
            bash("echo out; echo err >&2; exit 7", {
              onOutput: (stream, chunk) => void (heard[stream] += Buffer.from(chunk).toString()),
            }),
          )
          .pipe(Effect.flatMap((session) => session.exit)),
      )
      expect(code).toBe(7)
      expect(heard).toEqual({ stdout: "out\n", stderr: "err\n" })
    })

    it("loses no byte of 4 MB", async () => {
      let size = 0
      const code = await run(
        machine
          .spawn(bash("head -c 4000000 /dev/zero", { onOutput: (_, chunk) => void (size += chunk.length) }))
          .pipe(Effect.flatMap((session) => session.exit)),
      )
      expect(code).toBe(0)
      expect(size).toBe(4_000_000)
    })

    it("says 127 for a program that is not there", async () => {
      const code = await run(
        machine
          .spawn({ argv: ["no-such-program"], detachable: false, onOutput: () => {} })
          .pipe(Effect.flatMap((session) => session.exit)),
      )
      expect(code).toBe(127)
    })

    it("takes input as soon as spawn has answered", async () => {
      const heard = listener()
      await run(
        Effect.gen(function* () {
          const session = yield* machine.spawn(bash("read -r line; echo got $line", heard))
          yield* session.write(Buffer.from("hello\n"))
          expect(yield* session.exit).toBe(0)
        }),
      )
      expect(heard.text()).toBe("got hello\n")
    })

    it("keeps a detached process, replays its output and gives its exit code to who attaches", async () => {
      const before = listener()
      const after = listener()
      const id = await run(
        Effect.gen(function* () {
          const session = yield* machine.spawn(
            bash("echo one; read -r line; echo two $line; exit 5", { detachable: true, ...before }),
          )
          yield* before.until("one")
          return session.id
        }),
      )
      await run(
        Effect.gen(function* () {
          expect((yield* machine.sessions).map((session) => session.id)).toContain(id)
          const session = yield* machine.attach(id, after.onOutput)
          expect(session.id).toBe(id)
          yield* session.write(Buffer.from("more\n"))
          expect(yield* session.exit).toBe(5)
        }),
      )
      expect(after.text()).toBe("one\ntwo more\n")
    })

    it("says missing when it attaches to a session that is not there", async () => {
      expect(await run(failure(machine.attach("999999", () => {})))).toBe("missing")
    })

    it("kills a process and its children, and killing it again is no error", async () => {
      const heard = listener()
      const code = await run(
        Effect.gen(function* () {
          const session = yield* machine.spawn(
            bash("sleep 300 & echo up; wait", { detachable: true, ...heard }),
          )
          yield* heard.until("up")
          yield* session.kill("KILL")
          yield* machine.killSession(session.id, "KILL")
          return yield* session.exit
        }),
      )
      expect(code).toBe(137)
    })

    it("stops hearing a process when its scope closes, without ending it", async () => {
      const heard = listener()
      const ended = Deferred.makeUnsafe<Exit.Exit<number, SandboxError>>()
      const id = await run(
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const session = yield* machine
            .spawn(bash("echo up; sleep 300", { detachable: true, ...heard }))
            .pipe(Scope.provide(scope))
          yield* heard.until("up")
          yield* Scope.close(scope, Exit.void)
          yield* Deferred.succeed(ended, yield* Effect.exit(session.exit))
          expect((yield* machine.sessions).map(({ id }) => id)).toContain(session.id)
          yield* kill(session)
          return session.id
        }),
      )
      expect(Exit.isFailure(await run(Deferred.await(ended)))).toBe(true)
      expect((await run(machine.sessions)).map((session) => session.id)).not.toContain(id)
    })

    it("writes, reads, lists and removes files, making parents", async () => {
      const home = await run(
        Effect.gen(function* () {
          const heard = listener()
          const session = yield* machine.spawn(bash('printf %s "$HOME"', heard))
          yield* session.exit
          return heard.text()
        }),
      )
      const bytes = Buffer.from([0, 1, 2, 255, 254, 10])
      await run(
        Effect.gen(function* () {
          yield* machine.writeFile(`${home}/deep/er/file.bin`, bytes)
          expect(Buffer.from(yield* machine.readFile(`${home}/deep/er/file.bin`))).toEqual(bytes)
          expect(yield* machine.list(`${home}/deep`)).toMatchObject([{ name: "er", type: "directory" }])
          expect(yield* machine.list(`${home}/deep/er`)).toMatchObject([
            { name: "file.bin", type: "file", size: 6 },
          ])
          yield* machine.remove(`${home}/deep`)
          expect(yield* failure(machine.readFile(`${home}/deep/er/file.bin`))).toBe("missing")
          expect(yield* failure(machine.list(`${home}/deep`))).toBe("missing")
          expect(yield* failure(machine.readFile(home))).toBe("invalid")
        }),
      )
    })

    it("puts all files back to a checkpoint, ends its sessions, and tells a missing one", async () => {
      const heard = listener()
      await run(
        Effect.gen(function* () {
          const write = (text: string) => machine.writeFile("/tmp/state", Buffer.from(text))
          yield* write("before")
          const id = yield* machine.checkpoint("a good state")
          expect((yield* machine.checkpoints)[0]).toMatchObject({ id, comment: "a good state" })
          yield* write("after")
          yield* machine.spawn(bash("echo up; sleep 300", { detachable: true, ...heard }))
          yield* heard.until("up")
          yield* machine.restore(id)
          expect(Buffer.from(yield* machine.readFile("/tmp/state")).toString()).toBe("before")
          expect(yield* machine.sessions).toEqual([])
          expect(yield* failure(machine.restore("v99999"))).toBe("missing")
        }),
      )
    })

    it("keeps the network policy that it is given, and refuses one that means nothing", async () => {
      const rules = [{ domain: "*.example.com", action: "allow" as const }]
      await run(
        Effect.gen(function* () {
          yield* machine.setNetwork(rules)
          expect(yield* machine.network).toEqual(rules)
          expect(yield* failure(machine.setNetwork([{ domain: "", action: "allow" }]))).toBe("invalid")
          yield* machine.setNetwork([])
          expect(yield* machine.network).toEqual([])
        }),
      )
    })
  })
}
