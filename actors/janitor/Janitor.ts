/**
 * Keeps the house, under a lease: every two seconds what is overdue is told again, orders that nobody heard are repeated, and
 * outside agents that do not answer are given up; every minute what waited too long ends; every five minutes orphaned sandboxes
 * are reaped; every hour deliveries older than nine days are forgotten (P1 keeps eight).
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Leases, Roster, Sql } from "../../runtime/index.ts"
import { repairOverdue } from "./Repair.ts"
import { expire } from "./Expire.ts"
import { tellOrders } from "./Orders.ts"
import { giveUpUnanswered } from "./Unanswered.ts"

/** `reap` is what else wants to be swept every five minutes. */
export const layer = <E, R>(reap: Effect.Effect<unknown, E, R>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const leases = yield* Leases
      const sql = yield* Sql
      const { ws } = yield* Roster
      const forget = sql.cold("delete from inbox where at < now() - interval '9 days'", [])
      yield* leases.hold(`janitor:${ws}`, () =>
        Effect.all(
          [
            every("2 seconds", repairOverdue),
            every("2 seconds", tellOrders),
            every("2 seconds", giveUpUnanswered),
            every("1 minute", expire),
            every("5 minutes", reap),
            every("1 hour", forget),
          ],
          {
            concurrency: "unbounded",
            discard: true,
          },
        ),
      )
    }),
  )

/** Whatever fails is said and tried again next time. */
const every = <E, R>(
  interval: "2 seconds" | "1 minute" | "5 minutes" | "1 hour",
  task: Effect.Effect<unknown, E, R>,
) =>
  task.pipe(
    Effect.catchCause((cause) => Effect.logWarning("housekeeping", cause)),
    Effect.repeat(Schedule.spaced(interval)),
  )
