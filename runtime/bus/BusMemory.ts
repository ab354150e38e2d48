/** The bus in memory, for tests: same order, acks and redelivery (by hand: `redeliver`), no process boundary. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Bus, type Endpoint, type Hearing, type Publication } from "./Bus.ts"

interface Durable {
  hearing: Hearing
  /** Somebody hears it now; meanwhile what comes is kept. */
  open: boolean
  readonly pending: Map<number, Publication>
}

export class BusMemory extends Context.Service<
  BusMemory,
  {
    readonly published: ReadonlyArray<Publication>
    readonly redeliver: () => void
    /** Asks whoever serves the subject, if anybody does. */
    readonly request: (subject: string, payload: string) => Effect.Effect<object, Cause.NoSuchElementError>
  }
>()("troupe/bus/BusMemory") {
  static readonly layer: Layer.Layer<Bus | BusMemory> = Layer.effectContext(
    Effect.sync(() => {
      const stored: Array<Publication> = []
      const seen = new Set<string>()
      const durables = new Map<string, Durable>()
      const listeners = new Set<{
        readonly subject: string
        readonly onMessage: (subject: string, payload: string) => void
      }>()

      const endpoints = new Set<Endpoint>()

      const deliver = (durable: Durable, seq: number, p: Publication) => {
        durable.pending.set(seq, p)
        if (!durable.open) return
        const ack = () => void durable.pending.delete(seq)
        queueMicrotask(() => durable.hearing.onMessage({ subject: p.subject, payload: p.payload, ack }))
      }
      const tell = (subject: string, payload: string) =>
        queueMicrotask(() => {
          for (const l of listeners) if (matches(l.subject, subject)) l.onMessage(subject, payload)
        })
      const bus = Bus.of({
        publish: (batch) =>
          Effect.sync(() => {
            for (const p of batch) {
              tell(p.subject, p.payload)
              if (seen.has(p.id)) continue
              seen.add(p.id)
              const seq = stored.push(p)
              for (const d of durables.values()) if (matches(d.hearing.filter, p.subject)) deliver(d, seq, p)
            }
          }),
        tell,
        listen: (subject, onMessage) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const listener = { subject, onMessage }
              listeners.add(listener)
              return listener
            }),
            (listener) => Effect.sync(() => listeners.delete(listener)),
          ).pipe(Effect.asVoid),
        hear: (hearing) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const known = durables.get(hearing.durable)
              const durable: Durable = known ?? { hearing, open: true, pending: new Map() }
              durables.set(hearing.durable, durable)
              durable.hearing = hearing
              durable.open = true
              if (known !== undefined) for (const [seq, p] of known.pending) deliver(known, seq, p)
              else stored.forEach((p, i) => matches(hearing.filter, p.subject) && deliver(durable, i + 1, p))
              return durable
            }),
            (durable) => Effect.sync(() => (durable.open = false)),
          ).pipe(Effect.asVoid),
        keep: (ear) =>
          Effect.sync(() => {
            if (durables.has(ear.durable)) return
            const durable: Durable = {
              hearing: { ...ear, onMessage: () => {} },
              open: false,
              pending: new Map(),
            }
            durables.set(ear.durable, durable)
            stored.forEach((p, i) => matches(ear.filter, p.subject) && deliver(durable, i + 1, p))
          }),
        serve: (service) =>
          Effect.acquireRelease(
            Effect.sync(() => service.endpoints.forEach((e) => endpoints.add(e))),
            () => Effect.sync(() => service.endpoints.forEach((e) => endpoints.delete(e))),
          ),
        durables: Effect.sync(() => [...durables.keys()]),
        leave: (durable) => Effect.sync(() => durables.delete(durable)).pipe(Effect.asVoid),
        state: Effect.succeed({ connected: true, server: "memory" }),
        inspect: Effect.sync(() => {
          const counts = new Map<string, number>()
          for (const { subject } of stored) counts.set(subject, (counts.get(subject) ?? 0) + 1)
          return {
            stream: "memory",
            messages: stored.length,
            bytes: stored.reduce((sum, p) => sum + p.payload.length, 0),
            firstSeq: 1,
            lastSeq: stored.length,
            durables: [...durables].map(([name, d]) => ({
              name,
              filter: d.hearing.filter,
              behind: 0,
              unsettled: d.pending.size,
              redelivered: 0,
            })),
            subjects: [...counts].map(([subject, count]) => ({ subject, count })),
          }
        }),
        newest: (subject) =>
          Effect.sync(() => {
            const at = stored.findLastIndex((p) => p.subject === subject)
            return at === -1
              ? null
              : { seq: at + 1, at: new Date(0).toISOString(), payload: stored[at]!.payload }
          }),
      })
      const redeliver = () => {
        for (const d of durables.values()) for (const [seq, p] of d.pending) deliver(d, seq, p)
      }
      const request = (subject: string, payload: string) => {
        const found = [...endpoints].find((e) => matches(e.subject, subject))
        return found === undefined
          ? Effect.fail(new Cause.NoSuchElementError(subject))
          : found.handle(subject, payload)
      }
      return Context.make(Bus, bus).pipe(
        Context.add(BusMemory, BusMemory.of({ published: stored, redeliver, request })),
      )
    }),
  )
}

/** NATS wildcards: `*` is one token, `>` is the rest. */
const matches = (pattern: string, subject: string): boolean => {
  const p = pattern.split(".")
  const s = subject.split(".")
  for (let i = 0; i < p.length; i++) {
    if (p[i] === ">") return s.length > i
    if (s[i] === undefined || (p[i] !== "*" && p[i] !== s[i])) return false
  }
  return p.length === s.length
}
