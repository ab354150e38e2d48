/** `/` and its files: a fixed list, read once at start; there is no path from a URL to the file system. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { fileURLToPath } from "node:url"
import { closedPage } from "./FrontDoor.ts"
import { Caller } from "../api/index.ts"

const javascript = "text/javascript; charset=utf-8"
const local = (name: string) => new URL(`../web/vanilla/${name}`, import.meta.url).href

const files: ReadonlyArray<readonly [path: `/${string}`, source: string, type: string]> = [
  ["/favicon.svg", local("favicon.svg"), "image/svg+xml"],
  ["/page/app.css", local("app.css"), "text/css; charset=utf-8"],
  ...["app", "api", "composer", "dom", "format", "frame", "markdown", "room", "timeline"].map(
    (name) => [`/page/${name}.js`, local(`${name}.js`), javascript] as const,
  ),
  ["/page/marked.js", import.meta.resolve("marked"), javascript],
]

const read = (source: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFile(fileURLToPath(source))).pipe(Effect.orDie)

export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const index = new TextDecoder().decode(yield* read(local("index.html")))
    yield* router.add(
      "GET",
      "/",
      Effect.map(Caller, ({ kind }) =>
        kind === "cookie" ? HttpServerResponse.html(index) : closedPage(401),
      ),
    )
    for (const [path, source, type] of files) {
      const body = yield* read(source)
      yield* router.add("GET", path, HttpServerResponse.uint8Array(body, { contentType: type }))
    }
  }),
)
