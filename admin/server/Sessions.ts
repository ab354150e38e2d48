/**
 * Who may use the page. A one-time link becomes a session; both are random 256-bit tokens of which only the hash is
 * kept. A link works once and for an hour. A session ends after 30 idle minutes or 12 hours, whichever is first.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash, randomBytes } from "node:crypto"

export class Sessions extends Context.Service<
  Sessions,
  {
    /** A fresh one-time token for `/enter?token=`. */
    readonly issueLink: Effect.Effect<string>
    /** The session token for a link that was never used, once. */
    readonly redeem: (link: string) => Effect.Effect<Option.Option<string>>
    /** True while the session lasts; counts as activity. */
    readonly touch: (session: string) => Effect.Effect<boolean>
    readonly end: (session: string) => Effect.Effect<void>
    readonly endAll: Effect.Effect<void>
  }
>()("troupe/admin/Sessions") {
  /** For one process: a restart ends every session. */
  static readonly layerMemory = Layer.sync(Sessions, () => {
    const links = new Map<string, number>()
    const sessions = new Map<string, { readonly since: number; seen: number }>()
    return Sessions.of({
      issueLink: Effect.map(Clock.currentTimeMillis, (now) => {
        for (const [hash, until] of links) if (until <= now) links.delete(hash)
        const token = newToken()
        links.set(hashOf(token), now + linkMs)
        return token
      }),
      redeem: (link) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const until = links.get(hashOf(link))
          if (until === undefined) return Option.none()
          links.delete(hashOf(link))
          if (until <= now) return Option.none()
          for (const [hash, session] of sessions) if (isOver(session, now)) sessions.delete(hash)
          const token = newToken()
          sessions.set(hashOf(token), { since: now, seen: now })
          return Option.some(token)
        }),
      touch: (token) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const session = sessions.get(hashOf(token))
          if (session === undefined || isOver(session, now)) return false
          session.seen = now
          return true
        }),
      end: (token) => Effect.sync(() => void sessions.delete(hashOf(token))),
      endAll: Effect.sync(() => sessions.clear()),
    })
  })
}

export const linkMs = 60 * 60_000
export const idleMs = 30 * 60_000
export const absoluteMs = 12 * 60 * 60_000

const isOver = (session: { readonly since: number; readonly seen: number }, now: number): boolean =>
  now - session.seen >= idleMs || now - session.since >= absoluteMs

export const newToken = (): string => randomBytes(32).toString("base64url")
export const hashOf = (token: string): string => createHash("sha256").update(token).digest("base64url")
