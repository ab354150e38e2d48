/**
 * Every way a call fails, in one table: what the API or the connection said, what it is to us, whether the same call
 * may be made again, and the sentence for people. The first row that fits decides. A failure in mid-stream has the
 * API's word (`error.type`) but no status, so rows that name a word come before rows that name a status.
 */
import { ModelError } from "./Model.ts"

interface Row {
  readonly kind: ModelError["kind"]
  readonly retry: ModelError["retry"]
  readonly status?: ReadonlyArray<number>
  readonly type?: ReadonlyArray<string>
  readonly code?: ReadonlyArray<string>
  readonly says?: RegExp
  readonly sentence: string
}

const billing =
  'The Anthropic account has no money left or has reached its spend limit; raise it in the Anthropic Console, then say "continue".'

/** A row fits when all the parts it names fit. `status`, `type` and `code` are lists of alternatives. */
export const rows: ReadonlyArray<Row> = [
  {
    kind: "billing",
    retry: "never",
    code: [
      "contract_spend_limit_reached",
      "enforced_spend_limit_reached",
      "linked_organization_spend_limit_reached",
      "linked_organization_billing_unavailable",
      "organization_on_hold",
      "user_profile_not_billable",
      "user_profile_billing_not_authorized",
    ],
    sentence: billing,
  },
  { kind: "billing", retry: "never", type: ["billing_error"], sentence: billing },
  {
    kind: "billing",
    retry: "never",
    status: [400, 403, 429],
    says: /spend limit|spending limit|usage limit|credit balance/i,
    sentence: billing,
  },
  { kind: "billing", retry: "never", status: [402], sentence: billing },
  {
    kind: "prefix_mismatch",
    retry: "never",
    status: [400],
    says: /bound to a different conversation|invalid `?signature`? in `?(redacted_)?thinking/i,
    sentence:
      "The model refused the conversation because its beginning has changed; the agent starts a new segment of it.",
  },
  {
    kind: "context_too_long",
    retry: "never",
    status: [400, 413],
    says: /prompt is too long|exceeds? (the )?(context|model'?s) (limit|window)|too many total text bytes/i,
    sentence: "The conversation no longer fits into the model; it must be shortened before it goes on.",
  },
  {
    kind: "too_large",
    retry: "never",
    type: ["request_too_large"],
    sentence: "The request is too large for the model's API; send smaller files or fewer of them.",
  },
  {
    kind: "too_large",
    retry: "never",
    status: [413],
    sentence: "The request is too large for the model's API; send smaller files or fewer of them.",
  },
  {
    kind: "too_large",
    retry: "never",
    code: ["image_dimensions_too_large"],
    sentence: "An image is too large for the model; send a smaller one.",
  },
  {
    kind: "overloaded",
    retry: "later",
    type: ["overloaded_error"],
    sentence: "The model is overloaded at the moment.",
  },
  {
    kind: "rate_limited",
    retry: "later",
    type: ["rate_limit_error"],
    sentence: "The Anthropic account sends too much at once.",
  },
  {
    kind: "timeout",
    retry: "later",
    type: ["timeout_error"],
    sentence: "The model took too long to answer.",
  },
  {
    kind: "authentication",
    retry: "never",
    type: ["authentication_error"],
    sentence: "Anthropic does not accept the key; set a valid ANTHROPIC_API_KEY and start again.",
  },
  {
    kind: "permission",
    retry: "never",
    type: ["permission_error"],
    sentence: "The Anthropic key may not do this; give it access to the model in the Anthropic Console.",
  },
  {
    kind: "unknown_model",
    retry: "never",
    type: ["not_found_error"],
    sentence:
      "The model or the address is unknown to the API; correct `model` in troupe.yaml or ANTHROPIC_BASE_URL.",
  },
  {
    kind: "invalid_request",
    retry: "never",
    type: ["invalid_request_error"],
    sentence: "The model's API refused the request as invalid; this is a fault in Troupe or in a setting.",
  },
  {
    kind: "server",
    retry: "later",
    type: ["api_error"],
    sentence: "The model's API failed.",
  },
  {
    kind: "authentication",
    retry: "never",
    status: [401],
    sentence: "Anthropic does not accept the key; set a valid ANTHROPIC_API_KEY and start again.",
  },
  {
    kind: "permission",
    retry: "never",
    status: [403],
    sentence: "The Anthropic key may not do this; give it access to the model in the Anthropic Console.",
  },
  {
    kind: "unknown_model",
    retry: "never",
    status: [404],
    sentence:
      "The model or the address is unknown to the API; correct `model` in troupe.yaml or ANTHROPIC_BASE_URL.",
  },
  {
    kind: "timeout",
    retry: "later",
    status: [408, 504],
    sentence: "The model took too long to answer.",
  },
  {
    kind: "server",
    retry: "later",
    status: [409],
    sentence: "The model's API was busy with a conflicting call.",
  },
  {
    kind: "rate_limited",
    retry: "later",
    status: [429],
    sentence: "The Anthropic account sends too much at once.",
  },
  {
    kind: "overloaded",
    retry: "later",
    status: [529],
    sentence: "The model is overloaded at the moment.",
  },
]

const unlisted = {
  client: {
    kind: "invalid_request",
    retry: "never",
    sentence: "The model's API refused the request; this is a fault in Troupe or in a setting.",
  },
  server: { kind: "server", retry: "later", sentence: "The model's API failed." },
  timeout: {
    kind: "timeout",
    retry: "later",
    sentence: "The model's API went silent.",
  },
  connection: {
    kind: "connection",
    retry: "later",
    sentence: "The connection to the model's API broke or could not be made.",
  },
} as const satisfies Record<string, Row>

/** Words in a failure that came over the wire; the SDK's `APIError` has this shape. */
interface Said {
  readonly status?: number | undefined
  readonly type?: string | null
  readonly errorCode?: string | null
  readonly message: string
  readonly headers?: Headers | undefined
}

/** `now` (milliseconds) is needed for a `retry-after` that is a date. */
export function failureOf(cause: unknown, now: number): ModelError {
  const said = asSaid(cause)
  const row = rows.find((row) => fits(row, said)) ?? fallback(said, cause)
  const order = said.headers?.get("x-should-retry")
  return new ModelError({
    kind: row.kind,
    retry: order === "false" ? "never" : order === "true" ? "later" : row.retry,
    afterMs: retryAfter(said.headers, now),
    message: row.sentence,
    cause,
  })
}

/** The stream ended in good order, but without `message_stop`: half an answer is no answer. */
export const truncated = (): ModelError =>
  new ModelError({
    kind: "connection",
    retry: "later",
    afterMs: null,
    message: unlisted.connection.sentence,
    cause: new Error("the stream ended before message_stop"),
  })

const fits = (row: Row, said: Said): boolean =>
  (row.status === undefined || (said.status !== undefined && row.status.includes(said.status))) &&
  (row.type === undefined || (said.type != null && row.type.includes(said.type))) &&
  (row.code === undefined || (said.errorCode != null && row.code.includes(said.errorCode))) &&
  (row.says === undefined || row.says.test(said.message))

function fallback(said: Said, cause: unknown): Row {
  if (said.status !== undefined) return said.status >= 500 ? unlisted.server : unlisted.client
  if (said.type != null) return unlisted.server
  return timedOut(cause) ? unlisted.timeout : unlisted.connection
}

/** The SDK wraps connection failures, sometimes without their cause, so its own name is asked as well. */
function timedOut(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause)
    if (error.name === "FetchTimeout" || error.name === "APIConnectionTimeoutError") return true
  return false
}

const asSaid = (cause: unknown): Said =>
  cause instanceof Error ? (cause as Error & Partial<Said>) : { message: String(cause) }

function retryAfter(headers: Headers | undefined, now: number): number | null {
  const milliseconds = Number(headers?.get("retry-after-ms") ?? Number.NaN)
  if (Number.isFinite(milliseconds)) return Math.max(0, milliseconds)
  const value = headers?.get("retry-after")
  if (value == null) return null
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
