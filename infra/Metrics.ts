/**
 * What the process says of itself in the Prometheus text format: actors (dead letters among them), and what waits in the room.
 * One query a scrape; nothing is counted on the hot path for it.
 */
import * as Effect from "effect/Effect"
import { Actor, Bus, Roster, Sql } from "../runtime/index.ts"

interface Waiting {
  readonly due: number
  readonly queued: number
  readonly running: number
  readonly unpublished: number
  readonly outbox: number
  readonly reserved: number
  readonly spent: number
}

const waitingText = `
select (select count(*) from decision where ws = $1 and state = 'due')::int as due,
  (select count(*) from decision where ws = $1 and state = 'queued')::int as queued,
  (select count(*) from turn where ws = $1 and state = 'running')::int as running,
  (select coalesce(sum(head - published), 0) from thread where ws = $1 and head > published)::int as unpublished,
  (select count(*) from outbox o join door d on d.id = o.door where d.ws = $1 and o.state in ('creating', 'created'))::int as outbox,
  (select coalesce(sum(reserved), 0) from budget where scope = 'agent')::float8 as reserved,
  (select coalesce(sum(spent), 0) from budget where scope = 'agent')::float8 as spent`

export const metrics = Effect.gen(function* () {
  const system = yield* Actor.ActorSystem
  const sql = yield* Sql
  const bus = yield* Bus
  const { ws } = yield* Roster
  return Effect.gen(function* () {
    const actors = yield* system.stats
    const { connected } = yield* bus.state
    const [waiting] = yield* sql.cold<Waiting & object>(waitingText, [ws])
    return [
      gauge("troupe_bus_connected", "1 while NATS is connected", connected ? 1 : 0),
      gauge("troupe_actors", "actors that live now", actors.actors),
      counter("troupe_actor_messages_total", "messages that actors handled", actors.handled),
      counter("troupe_actor_crashes_total", "crashes of actors", actors.crashes),
      counter("troupe_actor_restarts_total", "restarts of actors", actors.restarts),
      counter(
        "troupe_actor_dead_letters_total",
        "messages to actors that had stopped or were full",
        actors.deadLetters,
      ),
      gauge("troupe_decisions_due", "words that nobody decided yet", waiting!.due),
      gauge("troupe_decisions_queued", "words that wait for a running turn", waiting!.queued),
      gauge("troupe_turns_running", "turns at work", waiting!.running),
      gauge("troupe_events_unpublished", "events that are not on the bus yet", waiting!.unpublished),
      gauge("troupe_outbox_open", "messages that are not said yet", waiting!.outbox),
      gauge(
        "troupe_budget_reserved_dollars",
        "money reserved for calls under way",
        waiting!.reserved / 1_000_000,
      ),
      counter("troupe_budget_spent_dollars_total", "money spent on models", waiting!.spent / 1_000_000),
    ].join("")
  })
})

const line = (type: "gauge" | "counter") => (name: string, help: string, value: number) =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`
const gauge = line("gauge")
const counter = line("counter")
