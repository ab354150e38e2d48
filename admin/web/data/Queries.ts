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

/** Which questions a kind of event makes old. */
const touched: Readonly<Record<string, ReadonlyArray<string>>> = {
  message: ["rooms"],
  turn: ["rooms", "agents"],
  approval: ["rooms", "approvals"],
  tool: [],
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
    for (const key of ["rooms", "agents", "approvals", "status"])
      void queries.invalidateQueries({ queryKey: [key] })
})
