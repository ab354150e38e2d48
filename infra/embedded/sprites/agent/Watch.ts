/** Changes of files, one JSON line each, as long as the answer is read. */
import * as fs from "node:fs"
import type { ServerResponse } from "node:http"
import * as path from "node:path"
import { real } from "./Operations.ts"

export const watch = (names: ReadonlyArray<string>, recursive: boolean, response: ServerResponse): void => {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  const watchers: Array<fs.FSWatcher> = []
  const close = () => {
    for (const watcher of watchers) watcher.close()
  }
  response.on("close", close)
  for (const name of names) {
    const known = new Map<string, Stats>()
    const below = (file: string | null) =>
      file === null || !statOf(name)?.isDirectory() ? name : path.join(name, file)
    try {
      for (const at of recursive ? tree(name) : [name, ...children(name)]) remember(known, at)
      const watcher = fs.watch(real(name), { recursive }, (kind, file) => {
        const at = below(file)
        const event = kindOf(kind, known, at)
        if (event === undefined) return
        const stats = known.get(at)
        const timestamp = new Date().toISOString()
        line({
          type: "event",
          path: at,
          event,
          timestamp,
          size: stats?.size ?? 0,
          isDir: stats?.directory ?? false,
        })
      })
      watcher.on("error", (cause) => line({ type: "error", message: cause.message }))
      watchers.push(watcher)
    } catch (cause) {
      close()
      line({ type: "error", message: cause instanceof Error ? cause.message : String(cause) })
      return void response.end()
    }
  }
  line({ type: "subscribed", paths: names })
}

interface Stats {
  readonly size: number
  readonly directory: boolean
  readonly mode: number
  readonly modified: number
}

/** The kernel says that something changed; what it was, the difference says. */
const kindOf = (kind: string, known: Map<string, Stats>, at: string) => {
  const before = known.get(at)
  const after = remember(known, at)
  if (after === undefined) return before === undefined ? undefined : "remove"
  if (before === undefined) return "create"
  if (kind === "rename") return "rename"
  return before.mode !== after.mode && before.modified === after.modified ? "chmod" : "write"
}

const remember = (known: Map<string, Stats>, at: string): Stats | undefined => {
  const found = statOf(at)
  if (found === undefined) {
    known.delete(at)
    return undefined
  }
  const stats = {
    size: found.size,
    directory: found.isDirectory(),
    mode: found.mode,
    modified: found.mtimeMs,
  }
  known.set(at, stats)
  return stats
}

const statOf = (at: string): fs.Stats | undefined => {
  try {
    return fs.lstatSync(real(at))
  } catch {
    return undefined
  }
}

const children = (name: string): ReadonlyArray<string> =>
  statOf(name)?.isDirectory() === true
    ? fs.readdirSync(real(name)).map((child) => path.join(name, child))
    : []

const tree = (name: string): ReadonlyArray<string> => [name, ...children(name).flatMap(tree)]
