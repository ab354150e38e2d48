/**
 * The built page, from memory: a list that the build wrote, so that there is no path from a URL to the file system.
 * When the page is missing, or older than its sources, it is built beside the running server: until then a page that waits
 * is shown, or the page as it was.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import { execPath } from "node:process"

const here = fileURLToPath(new URL("../web/", import.meta.url))

export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array
  readonly gzip: Uint8Array | null
  /** Its name changes with its content. */
  readonly lasting: boolean
}

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
}

export class PageFiles extends Context.Service<
  PageFiles,
  {
    /** By path: `/page/assets/index-1a2b.js`. The page itself is `/index.html`. */
    readonly find: (path: string) => PageFile | undefined
    /** Where the page stands, when there is none to show. */
    readonly building: () => "building" | "impossible"
  }
>()("troupe/admin/PageFiles") {
  static readonly layer = Layer.suspend(() => PageFiles.layerFrom(here))

  /** `folder` has `Build.ts`, which makes `dist`. */
  static readonly layerFrom = (folder: string) =>
    Layer.effect(
      PageFiles,
      Effect.gen(function* () {
        const load = loadFrom(folder)
        let files = yield* load
        let state: "building" | "impossible" = "building"
        const renew = Effect.gen(function* () {
          const said = yield* build(folder)
          const fresh = yield* load
          if (fresh.size > 0) files = fresh
          else {
            state = "impossible"
            yield* Effect.logWarning(`The page could not be built: ${said.trim()}`)
          }
        })
        // Also when there is a page: it may be older than its sources. That can wait until the start is over.
        yield* Effect.forkScoped(files.size === 0 ? renew : Effect.delay(renew, "5 seconds"))
        return PageFiles.of({ find: (path) => files.get(path), building: () => state })
      }),
    )
}

interface List {
  readonly files: ReadonlyArray<{ readonly path: string; readonly gzip: boolean }>
}

/** Everything that was built; nothing, when nothing was or a build takes its place just now. */
const loadFrom = (web: string): Effect.Effect<ReadonlyMap<string, PageFile>> =>
  Effect.tryPromise(async () => {
    const at = (path: string) => readFile(join(web, "dist", path))
    const { files } = JSON.parse(String(await at("files.json"))) as List
    const read = await Promise.all(
      files.map(async ({ path, gzip }) => {
        const [bytes, packed] = await Promise.all([at(path), gzip ? at(`${path}.gz`) : null])
        const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream"
        return [`/${path}`, { type, bytes, gzip: packed, lasting: path.startsWith("page/assets/") }] as const
      }),
    )
    return new Map<string, PageFile>(read)
  }).pipe(Effect.catch(() => Effect.succeed(new Map<string, PageFile>())))

/** Runs the build in a process of its own; what it said when it failed. */
const build = (web: string) =>
  Effect.callback<string>((resume) => {
    const child = execFile(execPath, [join(web, "Build.ts")], (error, out, err) =>
      resume(Effect.succeed(error === null ? out : `${err}\n${error.message}`)),
    )
    return Effect.sync(() => child.kill())
  })
