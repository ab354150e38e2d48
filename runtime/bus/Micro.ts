/**
 * A NATS micro service (ADR-32 of NATS), as far as `nats micro ls`, `info`, `stats` and `ping` ask: what it is and what it did,
 * answered on `$SRV.<verb>`, `$SRV.<verb>.<name>` and `$SRV.<verb>.<name>.<id>`. Pure; BusServe.ts joins it to a connection.
 * Durations are nanoseconds.
 */
import type { MicroService } from "./Bus.ts"

export type Verb = "PING" | "INFO" | "STATS"
export const verbs: ReadonlyArray<Verb> = ["PING", "INFO", "STATS"]

/** Requests of one endpoint are shared out among the processes that have this group. */
export const queueGroup = "troupe"

export interface Answered {
  readonly ms: number
  readonly error: string | undefined
}

interface Stats {
  requests: number
  errors: number
  nanos: number
  lastError: string
}

export interface Instance {
  readonly subjects: (verb: Verb) => ReadonlyArray<string>
  readonly answer: (verb: Verb) => object
  readonly count: (endpoint: string, answered: Answered) => void
}

export const instance = (service: MicroService, id: string, started: string): Instance => {
  const { name, version, description } = service
  const identity = { name, id, version, metadata: {} }
  const stats = new Map<string, Stats>(
    service.endpoints.map((e) => [e.name, { requests: 0, errors: 0, nanos: 0, lastError: "" }]),
  )
  return {
    subjects: (verb) => [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`],
    answer: (verb) => {
      switch (verb) {
        case "PING":
          return { type: "io.nats.micro.v1.ping_response", ...identity }
        case "INFO":
          return {
            type: "io.nats.micro.v1.info_response",
            ...identity,
            description,
            endpoints: service.endpoints.map((e) => ({
              name: e.name,
              subject: e.subject,
              queue_group: queueGroup,
              metadata: {},
            })),
          }
        case "STATS":
          return {
            type: "io.nats.micro.v1.stats_response",
            ...identity,
            started,
            endpoints: service.endpoints.map((e) => {
              const { requests, errors, nanos, lastError } = stats.get(e.name)!
              return {
                name: e.name,
                subject: e.subject,
                queue_group: queueGroup,
                num_requests: requests,
                num_errors: errors,
                last_error: lastError,
                processing_time: nanos,
                average_processing_time: requests === 0 ? 0 : Math.round(nanos / requests),
              }
            }),
          }
      }
    },
    count: (endpoint, { ms, error }) => {
      const s = stats.get(endpoint)!
      s.requests++
      s.nanos += Math.round(ms * 1_000_000)
      if (error === undefined) return
      s.errors++
      s.lastError = `400:${error}`
    },
  }
}
