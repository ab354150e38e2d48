/**
 * What is answered without any agent: commands that are questions, strangers, and orders that changed nothing, so that nobody
 * is met with silence. Everything is said as a notice, known by what it answers, so once.
 *
 * A stranger gets one fixed refusal a day, in private, with a code by which an owner lets them in; nothing else, no model call, and
 * none of their words are kept.
 */
import * as Effect from "effect/Effect"
import type { Accepted, DoorId, StoreError } from "../../runtime/index.ts"
import type { Question } from "./Commands.ts"
import { channelOf, type Normalized } from "./Normalized.ts"

export interface ReceptionServices {
  /** Says words of Troupe's own, once by their id. */
  readonly notice: (notice: {
    readonly id: string
    readonly channel: string
    readonly replyTo: string | null
    readonly text: string
  }) => Effect.Effect<void, StoreError>
  /** A stranger writes: their code, `in` when they were let in meanwhile, undefined when there are too many. */
  readonly knock: (
    user: string,
    name: string,
  ) => Effect.Effect<{ readonly code: string } | "in" | undefined, StoreError>
  /** The answer to a question about the room. */
  readonly answer: (question: {
    readonly about: Question
    readonly channel: string
    /** The message that is asked about, where one is answered. */
    readonly replyTo: string | null
  }) => Effect.Effect<string, StoreError>
}

export interface Reception {
  readonly concerns: (update: Normalized) => boolean
  /** Before it is accepted. A stranger who was let in meanwhile is heard. */
  readonly receive: (update: Normalized) => Effect.Effect<Normalized, StoreError>
  /** After it was accepted. */
  readonly accepted: (update: Normalized, accepted: Accepted | undefined) => Effect.Effect<void>
}

export const makeReception = (
  door: DoorId,
  services: ReceptionServices,
  readmit: (update: unknown) => Normalized | undefined,
): Reception => ({
  concerns: ({ stranger, question }) => stranger !== null || question !== null,
  receive: Effect.fnUntraced(function* (update) {
    const { stranger, question } = update
    if (question !== null) {
      const { about, channel, message, replyTo } = question
      const text = yield* services.answer({ about, channel, replyTo })
      yield* services.notice({ id: `answer:${door}:${update.updateId}`, channel, replyTo: message, text })
    }
    if (stranger === null) return update
    const known = yield* services.knock(String(stranger.id), stranger.name)
    if (known === "in") return readmit(stranger.update) ?? update
    if (known === undefined || !stranger.direct) return update
    yield* services.notice({
      id: `refusal:${door}:${stranger.id}:${known.code}`,
      channel: channelOf(update.chat, undefined),
      replyTo: null,
      text: refusal(known.code),
    })
    return update
  }),
  accepted: ({ inbound, press, updateId }, accepted) => {
    const { message } = inbound
    const outcome = accepted?.outcome
    if (message === undefined || press !== null || outcome === undefined || visible.test(outcome))
      return Effect.void
    return services
      .notice({
        id: `outcome:${door}:${updateId}`,
        channel: message.channel,
        replyTo: message.sourceKey.split(":")[1] ?? null,
        text: sentence(outcome),
      })
      .pipe(Effect.catch((e) => Effect.logWarning(`What came of an order could not be said: ${e.message}`)))
  },
})

/** Whoever is concerned says so. */
const visible = /^(stopped|told to wait|allowed|refused|granted|resumed|asked again)/

export const sentence = (outcome: string): string => `${outcome.charAt(0).toUpperCase()}${outcome.slice(1)}.`

export const refusal = (code: string): string =>
  `I do not know you, so I do not listen. To be let in, give this code to the owner of this bot within a day: ${code}`
