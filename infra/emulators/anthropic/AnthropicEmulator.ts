/**
 * A scripted Messages API with its own ground truth: it answers what the test says, keeps every request byte for byte,
 * and refuses what the real API refuses (Validate.ts, Binding.ts), so a broken transcript is a 400 here too.
 *
 * Each accepted request takes the next scripted answer, in the order of arrival; without one the responder answers.
 * Without delays an answer is one write: thousands of requests a second.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Binding } from "./Binding.ts"
import { serveMessages } from "./MessagesServer.ts"
import type { Arrived, Answering } from "./MessagesServer.ts"
import { PromptCache } from "./PromptCache.ts"
import { validate } from "./Validate.ts"
import { fail, isFailure, say } from "./Wire.ts"
import type { Answer, MessagesRequest, Speech, WireUsage } from "./Wire.ts"

/** `n` counts the accepted requests from 0. */
export type Responder = (request: MessagesRequest, n: number) => Answer

export interface EmulatorOptions {
  readonly port?: number
  /** Answers when the script is empty; by default a short sentence. */
  readonly respond?: Responder
  /** Silence before each answer, for answers that do not say their own. */
  readonly modelDelayMs?: number
  /** Streams text at this speed instead of in one burst. */
  readonly tokensPerSecond?: number
  /** Any other key is answered 401; by default every key will do. */
  readonly apiKey?: string
  /** Opens every answer with a signed thinking block and checks those sent back. True by default. */
  readonly bindThinking?: boolean
  /** Refuses neighbouring messages of one role, which the API would merge. */
  readonly alternate?: boolean
  /** Keeps requests and simulates the cache. True by default; long benchmarks turn it off. */
  readonly record?: boolean
}

export interface RecordedRequest extends Arrived {
  /** 200 when it was answered, else the status of the refusal; scripted failures count as theirs. */
  readonly status: number | "reset" | "silence"
  /** The sentence of a refusal by the rules, null otherwise. */
  readonly refusal: string | null
}

export interface AnthropicEmulator {
  readonly url: string
  readonly requests: ReadonlyArray<RecordedRequest>
  /** Requests that broke a rule; a test that expects none asserts that this is empty. */
  readonly refusals: () => ReadonlyArray<string>
  /** Resolves once a client has closed the connection before its answer was complete. */
  readonly hungUp: Effect.Effect<void>
  readonly script: (...answers: ReadonlyArray<Answer | Responder>) => void
  readonly respond: (responder: Responder) => void
  /** Forgets the script and the requests; thinking stays bound. */
  readonly clear: () => void
}

const tokensIn = (text: string): number => Math.ceil(text.length / 4)

export const start = (options: EmulatorOptions = {}): Effect.Effect<AnthropicEmulator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests: Array<RecordedRequest> = []
    let script: Array<Answer | Responder> = []
    let responder: Responder = options.respond ?? (() => say("Done."))
    const binding = options.bindThinking === false ? null : new Binding()
    const cache = options.record === false ? null : new PromptCache()
    const hungUp = yield* Deferred.make<void>()
    let accepted = 0

    const refuse = (request: MessagesRequest): string | null =>
      validate(request, { alternate: options.alternate === true }) ?? binding?.check(request) ?? null

    const answering = (arrived: Arrived): Answering => {
      const { request } = arrived
      const unknownKey = keyRefused(options.apiKey, arrived)
      const refusal = unknownKey ? null : refuse(request)
      const answer = unknownKey
        ? fail(401, "authentication_error", "invalid x-api-key")
        : refusal === null
          ? next(request)
          : fail(400, "invalid_request_error", refusal)
      if (options.record !== false)
        requests.push({ ...arrived, status: isFailure(answer) ? answer.status : 200, refusal })
      const onHangUp = () => void Deferred.doneUnsafe(hungUp, Effect.void)
      if (isFailure(answer)) return { answer, usage: noUsage, onHangUp }
      const input = cache?.bill(request) ?? { ...noUsage, input_tokens: tokensIn(arrived.raw.toString()) }
      const usage = { ...input, output_tokens: outputTokens(answer), ...answer.usage }
      return { answer, usage, onHangUp }
    }

    const next = (request: MessagesRequest): Answer => {
      const scripted = script.shift() ?? responder
      const answer = typeof scripted === "function" ? scripted(request, accepted) : scripted
      accepted++
      const delayMs = answer.delayMs ?? options.modelDelayMs ?? 0
      if (isFailure(answer)) return { ...answer, delayMs }
      const speech = bounded(answer, request.max_tokens)
      const content = binding?.bind(request, speech.content) ?? speech.content
      return paced(options, { ...speech, content, delayMs })
    }

    const url = yield* serveMessages(options.port ?? 0, answering)
    return {
      url,
      requests,
      refusals: () => requests.flatMap(({ refusal }) => (refusal === null ? [] : [refusal])),
      hungUp: Deferred.await(hungUp),
      script: (...answers) => void script.push(...answers),
      respond: (given) => void (responder = given),
      clear: () => {
        script = []
        requests.length = 0
      },
    }
  })

const noUsage: WireUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

const keyRefused = (apiKey: string | undefined, { headers }: Arrived): boolean => {
  const given = headers.authorization?.replace(/^Bearer /, "") ?? headers["x-api-key"]
  return apiKey === undefined ? given === undefined || given === "" : given !== apiKey
}

const outputTokens = (speech: Speech): number =>
  Math.max(
    1,
    tokensIn(
      speech.content.map((block) => String(block["text"] ?? JSON.stringify(block["input"] ?? ""))).join(""),
    ),
  )

/** Cuts the text where `max_tokens` ends; a tool use that would lie behind is dropped. */
function bounded(speech: Speech, maxTokens: number): Speech {
  if (outputTokens(speech) <= maxTokens) return speech
  let left = maxTokens * 4
  const content = speech.content.flatMap((block) => {
    if (left <= 0) return []
    if (block.type !== "text") return [block]
    const text = String(block["text"] ?? "").slice(0, left)
    left -= text.length
    return text === "" ? [] : [{ ...block, text }]
  })
  return { ...speech, content, stopReason: "max_tokens" }
}

/** Deltas of four tokens, spaced so that the speed comes out. */
const paced = (options: EmulatorOptions, speech: Speech): Speech =>
  options.tokensPerSecond === undefined || speech.eventDelayMs !== undefined
    ? speech
    : { ...speech, deltaChars: 16, eventDelayMs: (4 / options.tokensPerSecond) * 1000 }
