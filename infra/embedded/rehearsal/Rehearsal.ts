/**
 * The rehearsal model: an HTTP server on loopback that speaks the Messages API and answers by Rules.ts, so that without
 * an ANTHROPIC_API_KEY everything but the intelligence is real: streaming, tools, journal, budget (at price 0).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { fail, serveMessages } from "../../emulators/anthropic/index.ts"
import type { Answering, Arrived } from "../../emulators/anthropic/index.ts"
import { answer } from "./Rules.ts"

export interface RehearsalOptions {
  readonly port?: number
  /** The pause between two words or so; 0 answers in one burst. */
  readonly paceMs?: number
}

export interface Rehearsal {
  readonly url: string
  /** Made at each start; the server answers to nobody else. */
  readonly apiKey: string
}

export const start = (options: RehearsalOptions = {}): Effect.Effect<Rehearsal, never, Scope.Scope> =>
  Effect.gen(function* () {
    const apiKey = `rehearsal-${randomBytes(16).toString("hex")}`
    const paceMs = options.paceMs ?? 30
    const url = yield* serveMessages(options.port ?? 0, (arrived) => answering(arrived, apiKey, paceMs))
    return { url, apiKey }
  })

function answering({ headers, raw, request }: Arrived, apiKey: string, paceMs: number): Answering {
  const usage = {
    input_tokens: Math.ceil(raw.length / 4),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  }
  if (headers.authorization !== `Bearer ${apiKey}`)
    return { answer: fail(401, "authentication_error", "This key is not the rehearsal's"), usage }
  if (!Array.isArray(request.messages))
    return { answer: fail(400, "invalid_request_error", "messages: Field required"), usage }
  const speech = answer(request)
  return {
    answer: paceMs === 0 ? speech : { ...speech, delayMs: paceMs * 4, deltaChars: 24, eventDelayMs: paceMs },
    usage: { ...usage, output_tokens: Math.ceil(JSON.stringify(speech.content).length / 4) },
  }
}
