/**
 * The bus on a real nats-server, written for the features of 2.9.10. One connection: its order is the order of the
 * stream. All publications of a batch but the last go without a reply subject (stored, not acknowledged); the
 * acknowledgement of the last vouches for those before it, and a batch that was not acknowledged is sent again under
 * the same ids, of which the server keeps each once.
 */
import {
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type JsMsg,
} from "@nats-io/jetstream"
import {
  connect,
  headers,
  nanos,
  credsAuthenticator,
  nkeyAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { WorkspaceId } from "../room/Id.ts"
import { acknowledged, type Send } from "./Acknowledged.ts"
import { Bus, type BusInspection, BusError, type Hearing, type Publication } from "./Bus.ts"
import { serve } from "./BusServe.ts"
import { Durables } from "./Durables.ts"
import { allEvents, streamName } from "./Subject.ts"

export interface NatsAddress {
  /** `nats://host:port`, or `tls://`; several of a cluster with commas between. */
  readonly url: string
  readonly user?: string
  readonly password?: Redacted.Redacted
  /** The content of a .creds file, or of a file with an nkey seed and nothing else. */
  readonly creds?: Redacted.Redacted
}

const seconds = (n: number) => nanos(n * 1000)
const publishTimeout = 2000

export const layer = (address: NatsAddress, ws: WorkspaceId): Layer.Layer<Bus, BusError> =>
  Layer.effect(
    Bus,
    Effect.gen(function* () {
      const nc = yield* Effect.acquireRelease(open(address), (c) =>
        Effect.promise(() => c.close()).pipe(Effect.ignore),
      )
      const js = jetstream(nc, { timeout: publishTimeout })
      const jsm = yield* attempt("reach JetStream", () => jetstreamManager(nc, { timeout: 5000 }))
      const send = yield* acknowledged(nc, publishTimeout)
      const acks = yield* acknowledger(nc)
      const stream = ensureStream(jsm, ws)
      const durables = new Durables(js, jsm, ws)
      yield* stream.pipe(
        Effect.tapError((e) => Effect.logWarning(`waiting for the stream ${streamName(ws)}: ${e.message}`)),
        Effect.retry(briefly),
      )
      return Bus.of({
        publish: (batch) =>
          Effect.andThen(Effect.sync(acks.flush), publish(nc, send, batch)).pipe(
            Effect.tapError(() => Effect.ignore(stream)),
          ),
        tell: (subject, payload) => {
          if (!nc.isClosed()) nc.publish(subject, payload)
        },
        listen: (subject, onMessage) =>
          Effect.acquireRelease(
            Effect.sync(() =>
              nc.subscribe(subject, {
                callback: (error, m) => void (error === null && onMessage(m.subject, m.string())),
              }),
            ),
            (subscription) => Effect.sync(() => subscription.unsubscribe()),
          ).pipe(
            // The server knows of the subscription when this returns.
            Effect.andThen(attempt("subscribe", () => nc.flush())),
          ),
        hear: (hearing) =>
          hear(durables, hearing, acks).pipe(
            Effect.catch((error) => Effect.logDebug(`hearing ${hearing.durable} again: ${error.message}`)),
            Effect.andThen(Effect.ignore(stream)),
            Effect.andThen(Effect.sleep("100 millis")),
            Effect.forever,
            Effect.forkScoped,
            Effect.asVoid,
          ),
        keep: (ear) => Effect.asVoid(attempt("make a consumer", () => durables.open(ear, elsewhere))),
        serve: (service) =>
          serve(nc, service).pipe(Effect.andThen(attempt("serve requests", () => nc.flush()))),
        durables: attempt("list the consumers", async () => {
          const names: Array<string> = []
          for await (const consumer of jsm.consumers.list(streamName(ws))) names.push(consumer.name)
          return names
        }),
        leave: (durable) =>
          attempt("delete a consumer", () => jsm.consumers.delete(streamName(ws), durable)).pipe(
            Effect.catchIf(
              (e) => e.message.includes("not found"),
              () => Effect.succeed(true),
            ),
            Effect.asVoid,
          ),
        inspect: attempt("inspect the stream", () => inspect(jsm, ws)),
        newest: (subject) =>
          attempt("read a message", async () => {
            const found = await jsm.streams.getMessage(streamName(ws), { last_by_subj: subject })
            return found === null
              ? null
              : { seq: found.seq, at: found.time.toISOString(), payload: found.string() }
          }),
        state: Effect.sync(() => ({
          connected: !nc.isClosed() && connected(nc),
          server: `nats-server ${nc.info?.version ?? "?"}`,
        })),
      })
    }),
  )

const inspect = async (jsm: JetStreamManager, ws: WorkspaceId): Promise<BusInspection> => {
  const { config, state } = await jsm.streams.info(streamName(ws), { subjects_filter: ">" })
  const durables: Array<BusInspection["durables"][number]> = []
  for await (const c of jsm.consumers.list(streamName(ws)))
    durables.push({
      name: c.name,
      filter: c.config.filter_subject ?? "",
      behind: c.num_pending,
      unsettled: c.num_ack_pending,
      redelivered: c.num_redelivered,
    })
  return {
    stream: config.name,
    messages: state.messages,
    bytes: state.bytes,
    firstSeq: state.first_seq,
    lastSeq: state.last_seq,
    durables,
    subjects: Object.entries(state.subjects ?? {}).map(([subject, count]) => ({ subject, count })),
  }
}

const open = (address: NatsAddress) =>
  attempt("connect to NATS", () =>
    connect({
      servers: address.url.split(","),
      name: "troupe",
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 50,
      waitOnFirstConnect: false,
      // A stack trace for every publication costs more than the publication.
      noAsyncTraces: true,
      ...access(address),
    }),
  ).pipe(Effect.tap((nc) => Effect.sync(() => watch(nc))))

const access = (address: NatsAddress) => ({
  ...(address.user === undefined
    ? {}
    : {
        user: address.user,
        pass: address.password === undefined ? "" : Redacted.value(address.password),
      }),
  ...(address.creds === undefined ? {} : { authenticator: authenticatorOf(Redacted.value(address.creds)) }),
  // Whoever writes tls:// is not content with less, and a password is not sent before.
  ...(address.url.startsWith("tls://") ? { tls: {} } : {}),
})

/** What a server says of itself to who may come in: for those who look whether all is well, and change nothing. */
export const look = (address: NatsAddress) =>
  Effect.scoped(
    Effect.gen(function* () {
      const nc = yield* Effect.acquireRelease(
        attempt("connect to NATS", () =>
          connect({
            servers: address.url.split(","),
            name: "troupe doctor",
            reconnect: false,
            timeout: 3000,
            ...access(address),
          }),
        ),
        (c) => Effect.promise(() => c.close()).pipe(Effect.ignore),
      )
      const stored = yield* Effect.option(
        attempt("reach JetStream", async () => {
          const jsm = await jetstreamManager(nc, { timeout: 3000 })
          return jsm.getAccountInfo()
        }),
      )
      return {
        version: nc.info?.version ?? "0",
        /** JetStream: what is stored for this account, and how much may be (-1: no limit). */
        storage: Option.getOrNull(
          Option.map(stored, (info) => ({ used: info.storage, most: info.limits.max_storage })),
        ),
      }
    }),
  )

const authenticatorOf = (creds: string) => {
  const text = creds.trim()
  // The client's parser wants the line break at the end.
  return /^SU[A-Z2-7]+$/.test(text)
    ? nkeyAuthenticator(new TextEncoder().encode(text))
    : credsAuthenticator(new TextEncoder().encode(`${text}\n`))
}

/** The client tells of its connection in a stream of statuses; the last one is kept beside it. */
const links = new WeakMap<NatsConnection, { up: boolean }>()
const watch = (nc: NatsConnection) => {
  const link = { up: true }
  links.set(nc, link)
  const read = async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect") link.up = false
      if (status.type === "reconnect") link.up = true
    }
  }
  void read()
}
const connected = (nc: NatsConnection) => links.get(nc)?.up ?? false

const attempt = <A>(what: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new BusError({
        message: `Could not ${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      }),
  })

const briefly = { schedule: Schedule.spaced("100 millis"), times: 50 }

const ensureStream = (jsm: JetStreamManager, ws: WorkspaceId) =>
  attempt("make the stream", async () => {
    const name = streamName(ws)
    try {
      await jsm.streams.info(name)
    } catch {
      await jsm.streams.add({
        name,
        subjects: [allEvents(ws)],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        max_age: seconds(7 * 24 * 3600),
        max_bytes: 1024 ** 3,
        duplicate_window: seconds(600),
        allow_direct: true,
      })
    }
  })

const publish = (nc: NatsConnection, send: Send, batch: ReadonlyArray<Publication>) =>
  Effect.suspend(() => {
    const last = batch.at(-1)
    if (last === undefined) return Effect.void
    try {
      for (const p of batch) if (p !== last) nc.publish(p.subject, p.payload, { headers: idOf(p) })
    } catch (cause) {
      return Effect.fail(new BusError({ message: "Could not publish: the connection is closed.", cause }))
    }
    return send(last.subject, last.payload, idOf(last))
  })

const idOf = ({ id }: Publication) => {
  const h = headers()
  h.set("Nats-Msg-Id", id)
  return h
}

/**
 * Acknowledgements may be late: nobody waits for one, and without it the same message comes again. So those of a few
 * milliseconds are sent together, with whatever is published meanwhile.
 */
const acknowledger = Effect.fnUntraced(function* (nc: NatsConnection) {
  const run = yield* FiberSet.makeRuntime<never>()
  let waiting: Array<JsMsg> = []
  let armed = false
  const flush = () => {
    if (!nc.isClosed()) for (const m of waiting) m.ack()
    waiting = []
  }
  const later = Effect.sync(() => {
    armed = false
    flush()
  })
  return {
    flush,
    ack: (m: JsMsg) => {
      waiting.push(m)
      if (armed) return
      armed = true
      run(Effect.delay(later, "10 millis"))
    },
  }
})

type Acknowledger = Effect.Success<ReturnType<typeof acknowledger>>

/** Seconds that a delivery may take to be acknowledged: ours are written down at once, a program elsewhere works first. */
const here = 5
const elsewhere = 60

/** Hears until the consumer or the stream is gone, or the scope closes. */
const hear = (durables: Durables, hearing: Hearing, acks: Acknowledger) =>
  Effect.scoped(
    Effect.gen(function* () {
      const consumer = yield* attempt("make a consumer", () => durables.open(hearing, here))
      const messages = yield* Effect.acquireRelease(
        attempt("consume", () =>
          consumer.consume({
            max_messages: 500,
            // Fewer requests at rest; a lost connection is noticed by itself.
            expires: 120_000,
            abort_on_missing_resource: true,
            callback: (m) =>
              hearing.onMessage({ subject: m.subject, payload: m.string(), ack: () => acks.ack(m) }),
          }),
        ),
        (open) =>
          Effect.sync(() => {
            acks.flush()
            open.stop()
          }),
      )
      yield* attempt("go on consuming", async () => {
        const error = await messages.closed()
        if (error instanceof Error) throw error
      })
    }),
  )
