/**
 * The air: what NATS does for us behind our own type. JetStream carries what is stored (at least once, in the order it
 * was published), core NATS carries what may be lost (deltas, wake-ups). Postgres keeps the truth: the stream may be
 * wiped at any time, then it is made again and the relay repairs what was due.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

export class BusError extends Schema.TaggedError<BusError>()("BusError", {
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export interface Publication {
  readonly subject: string
  /** Dropped by the server when it saw the same id within ten minutes. */
  readonly id: string
  readonly payload: string
}

export interface Delivery {
  readonly subject: string
  readonly payload: string
  /** Settles the delivery; without it the message comes again after five seconds. */
  readonly ack: () => void
}

export interface Hearing {
  readonly durable: string
  /** A single subject with wildcards. */
  readonly filter: string
  /** Where a new durable starts, ISO 8601. An existing one goes on where it was. */
  readonly since: string
  /** **Contract:** called synchronously, in stream order; must not throw. */
  readonly onMessage: (delivery: Delivery) => void
}

/** A durable consumer for a program elsewhere: as a `Hearing`, and it has longer to acknowledge. */
export type Ear = Omit<Hearing, "onMessage">

/** A request that somebody sends us, as one endpoint of a NATS micro service. */
export interface Endpoint {
  readonly name: string
  /** May have wildcards; each process of the company answers some of the requests. */
  readonly subject: string
  /** The answer is sent as JSON; one with `error` counts as an error. */
  readonly handle: (subject: string, payload: string) => Effect.Effect<object>
}

export interface MicroService {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly endpoints: ReadonlyArray<Endpoint>
}

export interface BusState {
  readonly connected: boolean
  readonly server: string
}

export interface BusInspection {
  readonly stream: string
  readonly messages: number
  readonly bytes: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly durables: ReadonlyArray<{
    readonly name: string
    readonly filter: string
    /** Not delivered yet. */
    readonly behind: number
    /** Delivered, and not acknowledged yet. */
    readonly unsettled: number
    readonly redelivered: number
  }>
  readonly subjects: ReadonlyArray<{ readonly subject: string; readonly count: number }>
}

export interface StoredMessage {
  readonly seq: number
  /** ISO 8601. */
  readonly at: string
  readonly payload: string
}

export class Bus extends Context.Service<
  Bus,
  {
    /** Stores the publications in their order; done when the last is stored, and so all before it. */
    readonly publish: (batch: ReadonlyArray<Publication>) => Effect.Effect<void, BusError>
    /** Core NATS: told to whoever listens now. */
    readonly tell: (subject: string, payload: string) => void
    readonly listen: (
      subject: string,
      onMessage: (subject: string, payload: string) => void,
    ) => Effect.Effect<void, BusError, Scope.Scope>
    /** Hears through a durable consumer until the scope closes; made when missing, made again when wiped. */
    readonly hear: (hearing: Hearing) => Effect.Effect<void, BusError, Scope.Scope>
    /** Makes the durable when it is missing: somebody else hears through it. */
    readonly keep: (ear: Ear) => Effect.Effect<void, BusError>
    /**
     * Answers requests until the scope closes, and what `nats micro` asks about it. Only an inbox is answered
     * (`_INBOX...`): by any other reply subject a requester would speak with our rights.
     */
    readonly serve: (service: MicroService) => Effect.Effect<void, BusError, Scope.Scope>
    /** The durables that there are, whoever hears through them. */
    readonly durables: Effect.Effect<ReadonlyArray<string>, BusError>
    /** Deletes a durable: its owner left the door. */
    readonly leave: (durable: string) => Effect.Effect<void, BusError>
    readonly state: Effect.Effect<BusState>
    /** The stream as it is now, with its durables and what is stored under each subject. */
    readonly inspect: Effect.Effect<BusInspection, BusError>
    /** The newest stored message under a subject; null when there is none. */
    readonly newest: (subject: string) => Effect.Effect<StoredMessage | null, BusError>
  }
>()("troupe/bus/Bus") {}
