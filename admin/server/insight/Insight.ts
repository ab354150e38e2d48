/** Everything the page asks of the machine behind the rooms, as one service; each part is a file beside this one. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Actor, Bus } from "../../../runtime/index.ts"
import type { ActorView } from "../../api/index.ts"
import { busBoard } from "./BusBoard.ts"
import { doorsBook } from "./DoorsBook.ts"
import { lookup } from "./Lookup.ts"
import { machines } from "./Machines.ts"
import { moneyBook } from "./MoneyBook.ts"
import { vault } from "./Vault.ts"

const make = Effect.gen(function* () {
  const bus = yield* Bus
  const system = yield* Actor.ActorSystem
  const tree = Effect.map(system.tree, (all) =>
    all.map(({ lastCrash, ...actor }): ActorView => ({
      ...actor,
      lastCrash:
        lastCrash === undefined
          ? null
          : { at: new Date(lastCrash.at).toISOString(), cause: lastCrash.cause.slice(0, 2000) },
    })),
  )
  return {
    money: yield* moneyBook,
    bus: yield* busBoard,
    newest: bus.newest,
    actors: Effect.map(Effect.all([tree, system.stats]), ([actors, stats]) => ({ ...stats, actors })),
    machines: yield* machines,
    lookup: yield* lookup,
    vault: yield* vault,
    doors: yield* doorsBook,
  }
})

export class Insight extends Context.Service<Insight, Effect.Success<typeof make>>()("troupe/admin/Insight") {
  static readonly layer = Layer.effect(Insight, make)
}
