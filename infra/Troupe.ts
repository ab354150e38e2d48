/**
 * The company as one layer, from the addresses of its servers: what `npm start`, the tests and the benchmarks run. Doors and
 * the web server are layered on top of it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { Outside, Staff } from "../actors/agent/index.ts"
import { Workplace, type Budgets } from "../actors/conversation/index.ts"
import type { Tool } from "../actors/conversation/tools/index.ts"
import { Janitor } from "../actors/janitor/index.ts"
import {
  Actor,
  Blobs,
  BusNats,
  Company,
  Courier,
  Identities,
  Notices,
  Pairings,
  Journal,
  Leases,
  migrate,
  Redaction,
  Relay,
  Rooms,
  Roster,
  SayDoor,
  Secrets,
  Sql,
  type Agent,
  type BusNatsAddress,
  type CompanyConfig,
  type SecretKeys,
  type WorkspaceId,
} from "../runtime/index.ts"

export interface Addresses {
  readonly database: Redacted.Redacted
  readonly nats: BusNatsAddress
}

/** Postgres, migrated, and what opens secrets. */
export const layerStore = (database: Redacted.Redacted, keys: SecretKeys) =>
  Layer.effectDiscard(migrate(database)).pipe(
    Layer.provideMerge(Sql.layer(database)),
    Layer.provideMerge(Secrets.layer(keys)),
    Layer.provideMerge(Redaction.layer),
  )

/** The room: bus, leases, log, outbox. `config` is applied before anybody reads the roster. */
export const layerRoom = (
  at: Addresses,
  ws: WorkspaceId,
  config: CompanyConfig,
  wants?: (name: string) => boolean,
) =>
  Layer.merge(SayDoor.layer, Notices.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(Rooms.layer, Blobs.layer, Courier.layer, Identities.layer, Pairings.layer),
    ),
    Layer.provideMerge(Journal.layer),
    Layer.provideMerge(Relay.layer),
    Layer.provideMerge(Roster.layer(ws)),
    Layer.provideMerge(Layer.effectDiscard(Company.apply(ws, config))),
    Layer.provideMerge(Layer.mergeAll(BusNats.layer(at.nats, ws), Leases.layer(at.database, wants))),
  )

export interface Work<E, R, R2> {
  readonly budgets: Budgets
  readonly modelOf: (agent: Agent) => string
  readonly triageModel: string
  readonly tools: Effect.Effect<ReadonlyArray<Tool>, E, R>
  /** What is swept every five minutes besides the room. */
  readonly reap: Effect.Effect<unknown, E, R2>
}

/** Those who act: agents, conversations, the janitor. Tools get their services from around the layer. */
export const layerStaff = <E, R, R2>(work: Work<E, R, R2>) =>
  Layer.mergeAll(Staff.layer, Outside.layer, Janitor.layer(work.reap)).pipe(
    Layer.provideMerge(
      Layer.effect(
        Workplace,
        Effect.map(work.tools, (tools) =>
          Workplace.of({
            tools: new Map(tools.map((t) => [t.spec.name, t])),
            budgets: work.budgets,
            modelOf: work.modelOf,
            triageModel: work.triageModel,
          }),
        ),
      ),
    ),
  )

export const layerActors = Actor.ActorSystem.layer
