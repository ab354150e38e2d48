/**
 * `/` and every address of the page: one document, which finds its way itself and asks the API for what it shows. It holds
 * nothing secret, so that a link followed from another program opens it, whose own requests then carry the session.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { errorJson } from "./ErrorJson.ts"
import { buildingPage } from "./FrontDoor.ts"
import { pages } from "./Lock.ts"
import { PageFiles, type PageFile } from "./PageFiles.ts"

const answer = (file: PageFile, request: HttpServerRequest.HttpServerRequest) => {
  const packed = file.gzip !== null && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")
  const response = HttpServerResponse.uint8Array(packed ? file.gzip! : file.bytes, {
    contentType: file.type,
    headers: { vary: "accept-encoding", ...(packed ? { "content-encoding": "gzip" } : {}) },
  })
  // A new build has new names; nothing here depends on who asks.
  return file.lasting
    ? HttpServerResponse.setHeader(response, "cache-control", "public, max-age=31536000, immutable")
    : response
}

export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const files = yield* PageFiles
    const page = (request: HttpServerRequest.HttpServerRequest) =>
      Effect.sync(() => {
        const file = files.find("/index.html")
        return file === undefined ? buildingPage(files.building()) : answer(file, request)
      })
    yield* router.add("GET", "/", page)
    for (const name of pages) {
      yield* router.add("GET", `/${name}/*`, page)
    }
    const asset = (request: HttpServerRequest.HttpServerRequest) =>
      Effect.sync(() => {
        const file = files.find(request.url.split("?", 1)[0] ?? "/")
        return file === undefined ? errorJson(404, "There is nothing here.") : answer(file, request)
      })
    yield* router.add("GET", "/page/*", asset)
    yield* router.add("GET", "/favicon.svg", asset)
  }),
)
