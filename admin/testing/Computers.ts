/** Computers in memory, behind the port of sandboxes: their files, and what was kept of them. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Machine, Sandbox, SandboxError } from "../../integrations/sprites/index.ts"

const missing = (what: string) =>
  new SandboxError({ kind: "missing", retry: "never", message: `There is no ${what}.`, cause: null })

const computer = (name: string): Machine => {
  let files = new Map([["/home/sprite/notes.md", "# Notes\n"]])
  const kept = new Map<string, Map<string, string>>()
  const no = Effect.die("this computer runs nothing")
  return {
    name,
    fresh: false,
    spawn: () => no,
    attach: () => no,
    sessions: Effect.succeed([]),
    killSession: () => Effect.void,
    readFile: (path) =>
      files.has(path)
        ? Effect.succeed(new TextEncoder().encode(files.get(path)))
        : Effect.fail(missing(`file ${path}`)),
    writeFile: (path, bytes) => Effect.sync(() => void files.set(path, new TextDecoder().decode(bytes))),
    list: (path) =>
      Effect.sync(() =>
        [...files]
          .filter(([file]) => file.startsWith(`${path.replace(/\/$/, "")}/`))
          .map(([file, text]) => ({
            name: file.slice(file.lastIndexOf("/") + 1),
            path: file,
            type: "file" as const,
            size: text.length,
            mode: 0o644,
          })),
      ),
    remove: (path) => Effect.sync(() => void files.delete(path)),
    checkpoint: (comment) =>
      Effect.sync(() => {
        const id = `v${kept.size + 1}`
        kept.set(`${id}/${comment}`, new Map(files))
        return id
      }),
    checkpoints: Effect.sync(() =>
      [...kept.keys()]
        .map((key) => {
          const [id = "", comment = ""] = key.split("/")
          return { id, at: new Date(0), comment }
        })
        .toReversed(),
    ),
    restore: (id) =>
      Effect.sync(() => {
        for (const [key, state] of kept) if (key.startsWith(`${id}/`)) files = new Map(state)
      }),
    network: Effect.succeed([{ domain: "github.com", action: "allow" as const }]),
    setNetwork: () => Effect.void,
  }
}

export const computers = Layer.sync(Sandbox, () => {
  const machines = new Map<string, Machine>()
  return Sandbox.of({
    open: (name) =>
      Effect.sync(() => {
        const machine = machines.get(name) ?? computer(name)
        machines.set(name, machine)
        return machine
      }),
    names: (prefix) => Effect.sync(() => [...machines.keys()].filter((name) => name.startsWith(prefix))),
    destroy: (name) => Effect.sync(() => void machines.delete(name)),
  })
})
