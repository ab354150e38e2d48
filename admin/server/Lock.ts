/**
 * Every request to the page and the API passes here; the rules are one pure function of what the request says.
 *
 * 1. The Host must be one of ours (against DNS rebinding), unless the CLI's token is sent, which no browser does by itself.
 * 2. A request that a browser says comes from another site reaches nothing but the front door.
 * 3. Whoever changes state with a cookie must prove the same origin, by Sec-Fetch-Site or Origin, and send JSON.
 * 4. Everything but the front door (`/`, `/enter`, the page's own files) needs a session or the CLI's token.
 * Health checks and webhooks are open: they show nothing, and webhooks verify their own signatures.
 */
export interface Facts {
  readonly method: string
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly contentType: string | undefined
  readonly credential: "none" | "cookie" | "token"
}

export interface Origins {
  /** Allowed Host headers, lower-case: `127.0.0.1:4400`. */
  readonly hosts: ReadonlySet<string>
  /** Allowed Origin headers: `http://127.0.0.1:4400`. */
  readonly origins: ReadonlySet<string>
}

export interface Refusal {
  readonly status: 401 | 403 | 415 | 421
  readonly message: string
}

export const judge = (facts: Facts, allowed: Origins): Refusal | "pass" => {
  if (isOpen(facts.path)) return "pass"
  if (facts.credential !== "token" && !allowed.hosts.has(facts.host?.toLowerCase() ?? "")) return wrongHost
  const reading = facts.method === "GET" || facts.method === "HEAD"
  const door = isFrontDoor(facts.path)
  const sameSite =
    facts.fetchSite === undefined || facts.fetchSite === "same-origin" || facts.fetchSite === "none"
  const sameOrigin = facts.origin === undefined || allowed.origins.has(facts.origin)
  if (!sameOrigin || (!sameSite && !(door && reading))) return otherSite
  if (door) return reading ? "pass" : otherSite
  if (facts.credential === "none") return locked
  if (reading) return "pass"
  if (facts.credential === "cookie" && facts.origin === undefined && facts.fetchSite !== "same-origin") {
    return otherSite
  }
  return facts.contentType?.split(";")[0]?.trim().toLowerCase() === "application/json" ? "pass" : notJson
}

/** Also the paths of trusted peers: what a load balancer or a platform calls. */
export const isOpen = (path: string): boolean =>
  path === "/healthz" || path === "/readyz" || path.startsWith("/hooks/")

/** The first parts of the page's own addresses: `/rooms/0abc`. */
export const pages = [
  "rooms",
  "agents",
  "activity",
  "money",
  "integrations",
  "sandboxes",
  "bus",
  "actors",
  "people",
  "secrets",
  "settings",
] as const
const isPage = new RegExp(`^/(?:${pages.join("|")})(?:/|$)`)

const isFrontDoor = (path: string): boolean =>
  path === "/" ||
  path === "/enter" ||
  path === "/favicon.svg" ||
  path.startsWith("/page/") ||
  isPage.test(path)

const wrongHost: Refusal = {
  status: 421,
  message:
    "This address is not one of ours; open the page at the address printed at start, or set PUBLIC_URL.",
}
const otherSite: Refusal = { status: 403, message: "Requests from other sites are refused." }
const locked: Refusal = {
  status: 401,
  message: "No session; open the link printed at start, or run `npx troupe link` for a new one.",
}
const notJson: Refusal = { status: 415, message: "Send JSON, with `content-type: application/json`." }

/** The names under which the page may be asked for. */
export const originsOf = (port: number, host: string, publicUrl: URL | null): Origins => {
  const local = ["127.0.0.1", "localhost", "[::1]", host.includes(":") ? `[${host}]` : host]
  const hosts = new Set(local.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])))
  const origins = new Set([...hosts].map((name) => `http://${name}`))
  if (publicUrl !== null) {
    hosts.add(publicUrl.host)
    origins.add(publicUrl.origin)
  }
  return { hosts, origins }
}
