/**
 * A micro service on a connection. A reply goes to an inbox and nowhere else: we may publish everything, so a request whose reply
 * subject is a room, the JetStream API or a control subject would have us speak there.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { newId } from "../room/Id.ts"
import type { Endpoint, MicroService } from "./Bus.ts"
import { instance, queueGroup, verbs } from "./Micro.ts"

export const isInbox = (reply: string | undefined): reply is string =>
  reply !== undefined && /^_INBOX(_[\w-]+)?\./.test(reply)

export const serve = (nc: NatsConnection, service: MicroService) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const clock = yield* Clock.Clock
      const self = instance(service, newId(now), new Date(now).toISOString())
      const run = Effect.runForkWith(yield* Effect.context<never>())

      const request = (endpoint: Endpoint, message: Msg) =>
        Effect.gen(function* () {
          const from = clock.currentTimeMillisUnsafe()
          const answer = yield* endpoint.handle(message.subject, message.string())
          const error = "error" in answer ? String(answer.error) : undefined
          self.count(endpoint.name, { ms: clock.currentTimeMillisUnsafe() - from, error })
          if (nc.isClosed()) return
          const h = headers()
          if (error !== undefined) {
            h.set("Nats-Service-Error", error)
            h.set("Nats-Service-Error-Code", "400")
          }
          message.respond(JSON.stringify(answer), error === undefined ? {} : { headers: h })
        })
      const asked = verbs.flatMap((verb) =>
        self.subjects(verb).map((subject) =>
          nc.subscribe(subject, {
            callback: (error, m) => {
              if (error === null && isInbox(m.reply)) m.respond(JSON.stringify(self.answer(verb)))
            },
          }),
        ),
      )
      const served = service.endpoints.map((endpoint) =>
        nc.subscribe(endpoint.subject, {
          queue: queueGroup,
          callback: (error, m) => {
            if (error === null && isInbox(m.reply)) run(request(endpoint, m))
          },
        }),
      )
      return [...asked, ...served]
    }),
    (subscriptions) => Effect.sync(() => subscriptions.forEach((s) => s.unsubscribe())),
  )
