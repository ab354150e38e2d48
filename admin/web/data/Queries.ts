/** What the page knows of the company, kept fresh by the line: nothing is asked for on a timer. */
import { QueryClient, queryOptions } from "@tanstack/react-query"
import { ApiError, call } from "./Client.ts"
import { line, type Changed } from "./Line.ts"

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (times, error) =>
        times < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})

export const roomsQuery = queryOptions({
  queryKey: ["rooms"],
  queryFn: () => call("GET /api/rooms").then(({ rooms }) => rooms),
})
export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: () => call("GET /api/agents").then(({ agents }) => agents),
})
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => call("GET /api/me"),
  staleTime: Number.POSITIVE_INFINITY,
})
export const statusQuery = queryOptions({ queryKey: ["status"], queryFn: () => call("GET /api/status") })

export const agentDetailsQuery = queryOptions({
  queryKey: ["agents", "details"],
  queryFn: () => call("GET /api/agents/details").then(({ agents }) => agents),
})
export const moneyQuery = queryOptions({ queryKey: ["money"], queryFn: () => call("GET /api/money") })
export const busQuery = queryOptions({ queryKey: ["bus"], queryFn: () => call("GET /api/bus") })
export const actorsQuery = queryOptions({ queryKey: ["actors"], queryFn: () => call("GET /api/actors") })
export const sandboxesQuery = queryOptions({
  queryKey: ["sandboxes"],
  queryFn: () => call("GET /api/sandboxes").then(({ sandboxes }) => sandboxes),
})
export const waitingQuery = queryOptions({
  queryKey: ["waiting"],
  queryFn: () => call("GET /api/waiting").then(({ waiting }) => waiting),
})
export const auditQuery = queryOptions({
  queryKey: ["audit"],
  queryFn: () => call("GET /api/audit"),
  staleTime: 0,
})
export const secretsQuery = queryOptions({
  queryKey: ["secrets"],
  queryFn: () => call("GET /api/secrets").then(({ secrets }) => secrets),
})
export const integrationsQuery = queryOptions({
  queryKey: ["integrations"],
  queryFn: () => call("GET /api/integrations").then(({ integrations }) => integrations),
})
export const pairingsQuery = queryOptions({
  queryKey: ["pairings"],
  queryFn: () => call("GET /api/pairings").then(({ pairings }) => pairings),
})
export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: () => call("GET /api/people").then(({ people }) => people),
})
export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => call("GET /api/tokens").then(({ tokens }) => tokens),
})

/** Which questions a kind of event makes old. */
const touched: Readonly<Record<string, ReadonlyArray<string>>> = {
  message: ["rooms", "bus", "integrations"],
  turn: ["rooms", "agents", "waiting", "money", "bus", "sandboxes"],
  approval: ["rooms", "waiting"],
  tool: ["sandboxes"],
  intent: [],
  delivery: [],
}

/** However much happens, no question is asked again more often than this. */
const calm = 1000
const due = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined
let last = 0

const refresh = () => {
  timer = undefined
  last = Date.now()
  for (const key of due) void queries.invalidateQueries({ queryKey: [key] })
  due.clear()
}

export const refreshOn = ({ rooms }: Changed): void => {
  for (const { kinds } of rooms) for (const kind of kinds) for (const key of touched[kind] ?? []) due.add(key)
  if (due.size > 0) timer ??= setTimeout(refresh, Math.max(0, calm - (Date.now() - last)))
}

line.onChange(refreshOn)
// A line that came back may have missed something.
line.watch(() => {
  if (line.state === "open")
    for (const key of ["rooms", "agents", "waiting", "status"])
      void queries.invalidateQueries({ queryKey: [key] })
})
