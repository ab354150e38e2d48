import { describe, expect, it } from "vitest"
import { match } from "./Router.ts"
import { WireError } from "./Wire.ts"

const routes = [
  { method: "GET", path: "/v1/sprites/:name", handle: "get" },
  { method: "DELETE", path: "/v1/sprites/:name", handle: "delete" },
  { method: "*", path: "/v1/sprites/:name/services/*", handle: "services" },
]
const status = (method: string, path: string) => {
  try {
    return match(routes, method, path)
  } catch (error) {
    return error instanceof WireError ? error.status : error
  }
}

describe("Router", () => {
  it("keeps an encoded slash inside its segment", () => {
    expect(status("GET", "/v1/sprites/a%2Fb%20c")).toEqual({ handle: "get", parameters: { name: "a/b c" } })
  })

  it("matches any rest and any method where a route says so", () => {
    expect(status("PUT", "/v1/sprites/x/services/web/start")).toMatchObject({ handle: "services" })
    expect(status("GET", "/v1/sprites/x/services")).toMatchObject({ handle: "services" })
  })

  it("tells an unknown path, another method and a broken encoding apart", () => {
    expect(status("GET", "/v1/sprites/x/y")).toBe(404)
    expect(status("PATCH", "/v1/sprites/x")).toBe(405)
    expect(status("GET", "/v1/sprites/%zz")).toBe(400)
  })
})
