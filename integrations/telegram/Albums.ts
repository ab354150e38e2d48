/**
 * Media groups as one message. Telegram sends the pictures of an album as messages of their own, and does not say how many
 * there are.
 *
 * Each part is committed as it comes, without words (P1), and its file is fetched at once. What they say together is accepted once
 * when the album is complete: it has ten parts, or 400 ms passed since the last one, or its chat says something else, which comes after it
 * (P2). Nothing but the album itself ever waits for this. A part that is later than that is a message of its own. Parts lie in the
 * inbox as `waiting`: an album that a crash cut off is said at the next start.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Inbound, InboundMessage, StoreError } from "../../runtime/index.ts"
import type { Normalized } from "./Normalized.ts"

export interface Albums {
  /** A part that is committed. */
  readonly add: (part: Normalized) => void
  readonly isOpen: (chat: number) => boolean
  /** The chat goes on: returns when its albums are said. */
  readonly close: (chat: number) => Effect.Effect<void>
}

export interface AlbumsOptions {
  readonly withFiles: (part: Normalized) => Effect.Effect<Normalized, StoreError>
  readonly accept: (batch: ReadonlyArray<Inbound>) => Effect.Effect<unknown, StoreError>
}

const quiet = "400 millis"
const mostParts = 10

interface Album {
  readonly group: string
  readonly parts: Array<Fiber.Fiber<Normalized>>
  readonly signals: Queue.Queue<"part" | "close">
  readonly said: Deferred.Deferred<void>
  sealed: boolean
}

/** The store takes it when it is back; what it refuses for good is a bug. */
const patiently = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A> =>
  effect.pipe(
    Effect.retry({ schedule: Schedule.spaced("500 millis"), while: (e) => e.kind === "unavailable" }),
    Effect.orDie,
  )

export const makeAlbums = Effect.fnUntraced(function* ({
  withFiles,
  accept,
}: AlbumsOptions): Effect.fn.Return<Albums, never, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime<never>()
  const chats = new Map<number, Array<Album>>()

  const gather = Effect.fnUntraced(
    function* (album: Album, before: ReadonlyArray<Album>) {
      while (album.parts.length < mostParts) {
        const signal = yield* Effect.timeoutOption(Queue.take(album.signals), quiet)
        if (Option.isNone(signal) || signal.value === "close") break
      }
      album.sealed = true
      const parts = yield* Effect.forEach(album.parts, (part) => Fiber.join(part))
      for (const earlier of before) yield* Deferred.await(earlier.said)
      yield* patiently(accept([combined(parts), ...parts.map(done)]))
    },
    Effect.catchCause((cause) => Effect.logError("An album could not be said.", cause)),
  )

  return {
    add: (part) => {
      const albums = chats.get(part.chat) ?? []
      chats.set(part.chat, albums)
      const file = run(patiently(withFiles(part)))
      const known = albums.find(({ group, sealed }) => group === part.album && !sealed)
      if (known !== undefined) {
        known.parts.push(file)
        return void Queue.offerUnsafe(known.signals, "part")
      }
      for (const { signals } of albums) Queue.offerUnsafe(signals, "close")
      const album: Album = {
        group: part.album ?? "",
        parts: [file],
        signals: Effect.runSync(Queue.unbounded<"part" | "close">()),
        said: Deferred.makeUnsafe<void>(),
        sealed: false,
      }
      const before = [...albums]
      albums.push(album)
      const over = Effect.suspend(() => {
        albums.splice(albums.indexOf(album), 1)
        if (albums.length === 0) chats.delete(part.chat)
        return Deferred.succeed(album.said, undefined)
      })
      run(Effect.ensuring(gather(album, before), over))
    },
    isOpen: (chat) => chats.has(chat),
    close: (chat) =>
      Effect.suspend(() => {
        const albums = [...(chats.get(chat) ?? [])]
        for (const { signals } of albums) Queue.offerUnsafe(signals, "close")
        return Effect.forEach(albums, ({ said }) => Deferred.await(said), { discard: true })
      }),
  }
})

/** A part of an album as it is kept until the album is said. */
export const waiting = ({ inbound }: Normalized): Inbound => ({
  door: inbound.door,
  externalId: inbound.externalId,
  raw: { ...(inbound.raw as object), waiting: true },
})

const done = ({ inbound }: Normalized): Inbound => ({
  door: inbound.door,
  externalId: `${inbound.externalId}/done`,
  raw: null,
})

/** One message that is known, and can be answered and edited, as its part that has words, else as the first. */
function combined(parts: ReadonlyArray<Normalized>): Inbound {
  const all = parts.flatMap(({ inbound }) => inbound.message ?? []) as ReadonlyArray<InboundMessage>
  const main = all.find(({ text }) => text !== "") ?? all[0]!
  const { door, externalId } = parts[0]!.inbound
  return {
    door,
    externalId: `album:${externalId}`,
    raw: { album: parts[0]!.album, parts: parts.map(({ updateId }) => updateId) },
    message: {
      ...main,
      text: all
        .map(({ text }) => text)
        .filter((text) => text !== "")
        .join("\n\n"),
      attachments: all.flatMap(({ attachments }) => attachments),
      mentions: [...new Set(all.flatMap(({ mentions }) => mentions))],
    },
  }
}
