/** The handlers of `PeopleApi`. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api, Caller, Conflict, Forbidden, NotFound } from "../api/index.ts"
import { Accounts } from "./Accounts.ts"
import { Audit } from "./Audit.ts"
import { linkTo } from "./EnterRoute.ts"
import { People } from "./People.ts"
import { unavailable } from "./Unavailable.ts"

const lastOwner = new Conflict({
  error: "There is no such person, or they are the last owner: make somebody else an owner first.",
})
const auditPage = 100

export const layer = HttpApiBuilder.group(
  Api,
  "people",
  Effect.fnUntraced(function* (handlers) {
    const people = yield* People
    const accounts = yield* Accounts
    const audit = yield* Audit
    const link = yield* linkTo
    const linkFor = (id: string) =>
      Effect.map(Effect.flatMap(accounts.issueLink(id), link), (link) => ({ id, link })).pipe(
        Effect.mapError(unavailable),
      )
    return handlers.handleAll({
      list: () => Effect.map(people.list, (list) => ({ people: list })).pipe(Effect.mapError(unavailable)),
      add: ({ payload }) =>
        people.add(payload.name, payload.role).pipe(Effect.mapError(unavailable), Effect.flatMap(linkFor)),
      change: Effect.fnUntraced(function* ({ params, payload }) {
        const changed = yield* people.change(params.id, payload).pipe(Effect.mapError(unavailable))
        return changed ? { changed } : yield* lastOwner
      }),
      remove: Effect.fnUntraced(function* ({ params }) {
        const removed = yield* people.remove(params.id).pipe(Effect.mapError(unavailable))
        return removed ? { removed } : yield* lastOwner
      }),
      invite: Effect.fnUntraced(function* ({ params }) {
        if (!(yield* people.has(params.id).pipe(Effect.mapError(unavailable))))
          return yield* new NotFound({ error: "There is no such person." })
        return yield* linkFor(params.id)
      }),
      end: ({ params }) =>
        accounts.endAll(params.id).pipe(Effect.mapError(unavailable), Effect.as({ ended: true })),
      tokens: () => Effect.map(people.tokens, (tokens) => ({ tokens })).pipe(Effect.mapError(unavailable)),
      newToken: Effect.fnUntraced(function* ({ payload }) {
        const caller = yield* Caller
        if (caller.kind === "none") return yield* new Forbidden({ error: "Nobody knows who you are." })
        return yield* accounts
          .issueToken(caller.person.id, payload.name, payload.role, payload.days)
          .pipe(Effect.mapError(unavailable))
      }),
      dropToken: Effect.fnUntraced(function* ({ params }) {
        const removed = yield* people.dropToken(params.id).pipe(Effect.mapError(unavailable))
        return removed ? { removed } : yield* new NotFound({ error: "There is no such token." })
      }),
      audit: Effect.fnUntraced(function* ({ query }) {
        const before = query.before ?? 2_147_483_647
        const [entries, broken] = yield* Effect.all([audit.read(before, auditPage), audit.broken]).pipe(
          Effect.mapError(unavailable),
        )
        return { entries, broken }
      }),
    })
  }),
)
