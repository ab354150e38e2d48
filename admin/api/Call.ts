/**
 * The typed client of the API, as types alone: what a call takes and answers follows from `Api`. The page and the command line
 * each bring their own `fetch`; nothing of Effect is loaded for it.
 */
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { Api } from "./Api.ts"

type Groups = typeof Api extends HttpApi.HttpApi<infer _Id, infer G> ? G : never
type Endpoint = Extract<HttpApiGroup.Endpoints<Groups>, HttpApiEndpoint.ConstraintRequest>

/** Every endpoint by its route: `GET /api/rooms/:id/events`. */
export type Endpoints = {
  readonly [
    E in Endpoint as E extends {
      readonly method: infer M extends string
      readonly path: infer P extends string
    }
      ? `${M} ${P}`
      : never
  ]: E
}
export type Route = keyof Endpoints

type Part<Name extends string, S, Form extends "Type" | "Encoded"> = [S] extends [never]
  ? unknown
  : S extends { readonly [K in Form]: infer A }
    ? {} extends A
      ? { readonly [K in Name]?: A }
      : { readonly [K in Name]: A }
    : unknown

/** What a call takes: `params` and `query` as text, and the `body`, whose JSON has the shape of its type. */
export type Asked<R extends Route> = Part<"params", Endpoints[R]["~Params"], "Encoded"> &
  Part<"query", Endpoints[R]["~Query"], "Encoded"> &
  Part<"body", Endpoints[R]["~Payload"], "Type">

/** What it answers, as the JSON says it. */
export type Answer<R extends Route> = Endpoints[R]["~Success"]["Type"]

/** The arguments of a call: none, where the endpoint needs nothing. */
export type Call<R extends Route> = {} extends Asked<R> ? [asked?: Asked<R>] : [asked: Asked<R>]

export interface AnyAsked {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

/** The method, and the path with its parts filled in. */
export const lineOf = (route: string, { params = {}, query = {} }: AnyAsked = {}) => {
  const [method = "GET", path = "/"] = route.split(" ")
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  ).toString()
  return { method, url: search === "" ? filled : `${filled}?${search}` }
}
