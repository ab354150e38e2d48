/**
 * Paths to handlers. A path is split on `/` before it is decoded, so that an encoded slash stays inside its segment.
 * The first route whose segments fit wins; a fitting path with another method is 405.
 */
import { notFound, WireError } from "./Wire.ts"

export interface Route<Handler> {
  readonly method: string
  /** Segments; one that starts with `:` stands for anything and is passed on by that name. */
  readonly path: string
  readonly handle: Handler
}

export interface Match<Handler> {
  readonly handle: Handler
  readonly parameters: Readonly<Record<string, string>>
}

export const match = <Handler>(
  routes: ReadonlyArray<Route<Handler>>,
  method: string,
  rawPath: string,
): Match<Handler> => {
  const segments = rawPath.split("/").slice(1).map(decoded)
  let otherMethod = false
  for (const route of routes) {
    const parameters = fit(route.path.split("/").slice(1), segments)
    if (parameters === undefined) continue
    if (route.method === method || route.method === "*") return { handle: route.handle, parameters }
    otherMethod = true
  }
  if (otherMethod) throw new WireError(405, "method_not_allowed", `${method} is not possible on ${rawPath}.`)
  throw notFound(`such path: ${rawPath}`)
}

/** `*` at the end of a route fits any rest. */
const fit = (
  pattern: ReadonlyArray<string>,
  segments: ReadonlyArray<string>,
): Readonly<Record<string, string>> | undefined => {
  const open = pattern.at(-1) === "*"
  const fixed = open ? pattern.slice(0, -1) : pattern
  if (open ? segments.length < fixed.length : segments.length !== fixed.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, part] of fixed.entries()) {
    const segment = segments[index] ?? ""
    if (part.startsWith(":")) parameters[part.slice(1)] = segment
    else if (part !== segment) return undefined
  }
  return parameters
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new WireError(400, "invalid_request", "The path is not correctly percent-encoded.")
  }
}
