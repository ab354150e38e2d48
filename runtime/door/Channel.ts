/**
 * One channel of a door: its parcels, at most one call under way. See Courier for what it promises.
 *
 * A parcel's life: `creating` (no id yet) -> `open` (id committed, the turn still runs) -> `ending` (final words known) -> gone
 * from here once S7 closed the row.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Journal } from "../room/Journal.ts"
import type { TurnId } from "../room/Id.ts"
import { anew } from "../store/hot/parts.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Flood } from "./Flood.ts"
import { createAt, kindOf, placeholder, stopIt, type Letter, type Next, type Settling } from "./Letter.ts"
import type { Parcel } from "./Parcel.ts"
import type { Outward, SendError } from "./Outward.ts"

interface Deps {
  readonly outward: Outward
  readonly journal: Journal["Service"]
  readonly fence: () => number
  /** P9: the door is ours at this moment. Asked before each call. */
  readonly mine: () => boolean
  /** What the account may do, all its channels together. */
  readonly flood: Flood
  readonly now: () => number
  readonly run: (effect: Effect.Effect<void>) => void
  readonly idle: () => void
  /** There is nothing more to say here of this part. */
  readonly ended: (turn: TurnId, part: number) => void
  /** The buttons of this part are gone from the platform. */
  readonly settled: (turn: TurnId, part: number) => void
}

/** How long to wait for the next beat of a door that may not be ours any more. */
const doubt = 500
/** A short answer is not worth a progress edit: the first waits this long after the first words. */
const firstProgress = 55

export class Channel {
  private readonly letters = new Map<string, Letter>()
  private readonly settling = new Map<string, Settling>()
  private busy = false
  private until = 0
  private waking = Number.POSITIVE_INFINITY
  private readonly d: Deps

  constructor(deps: Deps) {
    this.d = deps
  }

  take(parcel: Parcel): void {
    const key = `${parcel.turn}/${parcel.part}`
    const known = this.letters.get(key)
    if (known === undefined) {
      this.letters.set(key, {
        parcel,
        platformId: parcel.platformId,
        text: parcel.text,
        live: "",
        shown: "",
        showAt: 0,
        createAt: this.d.now() + (this.d.outward.holdBack ?? 0),
        split: parcel.part % anew !== 0,
      })
    } else if (parcel.text !== null) known.text = parcel.text
    this.go()
  }

  /** `anew`: the turn says it all from the start, as it does after a takeover. */
  progress(turn: TurnId, delta: string, anew = false): void {
    const letter = this.letters.get(`${turn}/0`)
    if (letter === undefined || letter.text !== null) return
    if (anew) letter.live = ""
    if (letter.live === "") letter.showAt = this.d.now() + firstProgress
    letter.live += delta
    this.go()
  }

  /** What could be pressed below these words is answered; they are to stand as `text`. */
  settle(parcel: Parcel, text: string): void {
    const key = `${parcel.turn}/${parcel.part}`
    if (!this.settling.has(key)) this.settling.set(key, { parcel, text })
    this.go()
  }

  /** The door is another process's now. */
  close(): void {
    this.settling.clear()
    for (const letter of this.letters.values()) this.forget(letter)
  }

  /** The next call, by what must be said first. */
  private next(): Next | undefined {
    let create: Letter | undefined
    let progress: Letter | undefined
    const now = this.d.now()
    for (const letter of this.letters.values()) {
      if (letter.platformId === null) {
        if (create === undefined || (createAt(create) > now && createAt(letter) < createAt(create)))
          create = letter
      } else if (letter.text !== null) return { job: "final", letter }
      else if (letter.live !== letter.shown) progress ??= letter
    }
    if (create !== undefined && (progress === undefined || createAt(create) <= now))
      return { job: "create", letter: create }
    for (const settling of this.settling.values()) return { job: "settle", settling }
    return progress === undefined ? undefined : { job: "progress", letter: progress }
  }

  private go(): void {
    if (this.busy) return
    const next = this.next()
    if (next === undefined) {
      if (this.letters.size === 0) this.d.idle()
      return
    }
    const now = this.d.now()
    const ripe =
      next.job === "create" ? createAt(next.letter) : next.job === "progress" ? next.letter.showAt : 0
    const at = Math.max(this.until, ripe)
    if (at > now) return this.wakeAt(at, now)
    if (!this.d.mine()) return this.wakeAt(now + doubt, now)
    const wait = this.d.flood.take(kindOf(next), now)
    if (wait > 0) return this.wakeAt(now + wait, now)
    this.busy = true
    this.d.run(
      this.call(next).pipe(
        Effect.catchCause((cause) => Effect.logError("a channel failed", cause)),
        Effect.ensuring(
          Effect.sync(() => {
            this.busy = false
            this.go()
          }),
        ),
      ),
    )
  }

  private wakeAt(at: number, now: number): void {
    if (at >= this.waking && this.waking > now) return
    this.waking = at
    this.d.run(
      Effect.andThen(
        Effect.sleep(at - now),
        Effect.sync(() => {
          this.waking = Number.POSITIVE_INFINITY
          this.go()
        }),
      ),
    )
  }

  private call(next: Next): Effect.Effect<void> {
    switch (next.job) {
      case "create":
        return this.create(next.letter)
      case "final":
        return this.final(next.letter)
      case "progress":
        return this.show(next.letter)
      case "settle":
        return this.unbutton(next.settling)
    }
  }

  private say(letter: Letter, text: string, final: boolean) {
    const { channel, replyTo, signature, agent, turn, part, file } = letter.parcel
    const actions = final ? letter.parcel.actions : letter.text === null ? [stopIt(turn)] : null
    return {
      channel,
      replyTo,
      signature,
      agent,
      turn,
      part,
      text,
      final,
      ...(actions != null && (final || this.d.outward.buttons === true) ? { actions } : {}),
      ...(final && file != null ? { file } : {}),
    }
  }

  private create(letter: Letter): Effect.Effect<void> {
    const whole = this.d.outward.holdBack !== undefined && letter.text !== null
    return (whole ? this.createWhole(letter) : this.createEmpty(letter)).pipe(
      Effect.catchTag("SendError", (error) => this.failed(letter, error)),
    )
  }

  /** Final words are known before anything was said: they are said at once. */
  private createWhole(letter: Letter): Effect.Effect<void, SendError> {
    return Effect.gen({ self: this }, function* () {
      if (!letter.split) yield* this.splitUp(letter)
      const platformId = yield* this.d.outward.create(this.say(letter, letter.text!, true))
      if (yield* this.said(letter, platformId)) yield* this.done(letter, "done")
    })
  }

  private createEmpty(letter: Letter): Effect.Effect<void, SendError> {
    return this.d.outward.create(this.say(letter, placeholder, false)).pipe(
      Effect.flatMap((platformId) => this.said(letter, platformId)),
      Effect.asVoid,
    )
  }

  /** S3. False: the row is another's. */
  private said(letter: Letter, platformId: string): Effect.Effect<boolean> {
    return this.commit(
      this.d.journal.said({
        turn: letter.parcel.turn,
        part: letter.parcel.part,
        fence: this.d.fence(),
        platform_id: platformId,
      }),
    ).pipe(
      Effect.map((row) => {
        if (!row.written) {
          this.forget(letter)
          return false
        }
        letter.platformId = platformId
        letter.text = row.text ?? letter.text
        // Whoever waits with the first words does not hurry with the next.
        if (this.d.outward.holdBack !== undefined)
          letter.showAt = this.d.now() + this.d.outward.progressEvery(letter.parcel.channel)
        return true
      }),
    )
  }

  private final(letter: Letter): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (!letter.split) yield* this.splitUp(letter)
      if (!this.d.mine()) return
      yield* this.d.outward.edit({ ...this.say(letter, letter.text!, true), platformId: letter.platformId! })
      yield* this.done(letter, "done")
    }).pipe(Effect.catchTag("SendError", (error) => this.failed(letter, error)))
  }

  /** The further parts are rows before any of them is sent; the same words are cut the same way again. */
  private splitUp(letter: Letter): Effect.Effect<void> {
    const [first, ...rest] = this.d.outward.split(letter.text!)
    const { parcel } = letter
    const rows = rest.map((text, i) => ({
      turn: parcel.turn,
      part: parcel.part + i + 1,
      fence: this.d.fence(),
      text,
    }))
    return (rows.length === 0 ? Effect.void : this.commit(this.d.journal.parts(rows))).pipe(
      Effect.map(() => {
        letter.text = first ?? letter.text
        letter.split = true
        for (const { part, text } of rows)
          this.take({ ...parcel, part, text, replyTo: null, signature: "", platformId: null })
      }),
    )
  }

  private show(letter: Letter): Effect.Effect<void> {
    const live = letter.live
    const [text] = this.d.outward.split(live)
    return this.d.outward
      .edit({ ...this.say(letter, `${text ?? live} ${placeholder}`, false), platformId: letter.platformId! })
      .pipe(
        Effect.map(() => {
          letter.shown = live
          letter.showAt = this.d.now() + this.every(letter.parcel.channel)
        }),
        Effect.catchTag("SendError", (error) => {
          // Progress is never repeated: what is said next will carry it.
          letter.shown = live
          letter.showAt = this.d.now() + 1000
          if (error.verdict === "retry") this.delay(error, letter.parcel.channel)
          return Effect.void
        }),
      )
  }

  private unbutton({ parcel, text }: Settling): Effect.Effect<void> {
    const { channel, replyTo, signature, agent, turn, part, platformId } = parcel
    const say = { channel, replyTo, signature, agent, turn, part, text, final: true }
    const over = Effect.sync(() => {
      this.settling.delete(`${turn}/${part}`)
      this.d.settled(turn, part)
    })
    return this.d.outward.edit({ ...say, platformId: platformId! }).pipe(
      Effect.andThen(over),
      Effect.catchTag("SendError", (error) =>
        error.verdict === "retry" ? Effect.sync(() => this.delay(error, channel)) : over,
      ),
    )
  }

  private delay(error: SendError, channel: string): void {
    const now = this.d.now()
    const afterMs = Math.max(error.afterMs, 50)
    if (error.flood === true) this.d.flood.refused(channel, error.everywhere, afterMs, now)
    else if (error.everywhere) this.d.flood.pause(afterMs, now)
    if (!error.everywhere) this.until = Math.max(this.until, now + afterMs)
  }

  /** The least time between two pieces of progress here. */
  private every(channel: string): number {
    return this.d.outward.progressEvery(channel) * this.d.flood.factor(channel, this.d.now())
  }

  private failed(letter: Letter, error: SendError): Effect.Effect<void> {
    switch (error.verdict) {
      case "retry":
        return Effect.sync(() => this.delay(error, letter.parcel.channel))
      case "lost":
        // Somebody deleted our message: its words are said in a new one.
        return Effect.sync(() => {
          letter.platformId = null
        })
      case "gone":
        return Effect.andThen(
          Effect.logWarning(`Words for ${letter.parcel.channel} can not be said: ${error.message}`),
          this.done(letter, "gone"),
        )
    }
  }

  private done(letter: Letter, state: "done" | "gone"): Effect.Effect<void> {
    const { parcel, platformId } = letter
    this.forget(letter)
    // Off the path: an edit that is repeated after a crash here changes nothing.
    this.d.run(
      this.commit(
        this.d.journal.delivered({
          turn: parcel.turn,
          part: parcel.part,
          thread: parcel.thread,
          door: parcel.door,
          fence: this.d.fence(),
          state,
          events:
            state === "gone"
              ? []
              : [
                  {
                    body: {
                      kind: "delivery",
                      turn: parcel.turn,
                      agent: parcel.agent,
                      part: parcel.part,
                      platformId: platformId ?? "",
                    },
                  },
                ],
        }),
      ).pipe(Effect.asVoid),
    )
    return Effect.void
  }

  private forget(letter: Letter): void {
    this.letters.delete(`${letter.parcel.turn}/${letter.parcel.part}`)
    this.d.ended(letter.parcel.turn, letter.parcel.part)
  }

  /** The outbox is written whatever the store does meanwhile; only a refusal is a bug. */
  private commit<A>(write: Effect.Effect<A, StoreError>): Effect.Effect<A> {
    return write.pipe(
      Effect.retry({ schedule: Schedule.spaced("300 millis"), while: (e) => e.kind === "unavailable" }),
      Effect.orDie,
    )
  }
}
