/**
 * The part of a webhook's payload that we read, for the events that we know. Everything else of it is left behind here; of an
 * event that we do not know, only what it is about is kept.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const { Int, String, Boolean } = Schema
const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
const nullable = <S extends Schema.Constraint>(schema: S) => Schema.NullOr(schema)
const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

export const User = Schema.Struct({ id: Int, login: String, type: maybe(String) })
export type User = typeof User.Type

const Repo = Schema.Struct({ id: Int, full_name: String, private: Boolean })

const AppOf = Schema.Struct({ id: Int })

export const Issue = Schema.Struct({
  id: Int,
  number: Int,
  title: String,
  body: maybe(String),
  user: nullable(User),
  state: maybe(String),
  state_reason: maybe(String),
  labels: optional(Schema.Array(Schema.Struct({ name: String }))),
  created_at: String,
  updated_at: String,
  /** Present: it is a pull request. */
  pull_request: maybe(Schema.Struct({})),
  performed_via_github_app: maybe(AppOf),
})
export type Issue = typeof Issue.Type

export const Comment = Schema.Struct({
  id: Int,
  body: nullable(String),
  user: nullable(User),
  created_at: String,
  updated_at: String,
  performed_via_github_app: maybe(AppOf),
  /** Of a comment on changed lines. */
  path: optional(String),
  line: maybe(Int),
  in_reply_to_id: maybe(Int),
})
export type Comment = typeof Comment.Type

export const Pull = Schema.Struct({
  id: Int,
  number: Int,
  title: String,
  body: maybe(String),
  user: nullable(User),
  merged: maybe(Boolean),
  labels: optional(Schema.Array(Schema.Struct({ name: String }))),
  created_at: String,
  updated_at: String,
  head: Schema.Struct({ ref: String, sha: String }),
  base: Schema.Struct({ ref: String }),
})
export type Pull = typeof Pull.Type

const Review = Schema.Struct({
  id: Int,
  body: maybe(String),
  state: String,
  user: nullable(User),
  submitted_at: maybe(String),
})

/** Of a check run, a check suite or a workflow run. */
const Check = Schema.Struct({
  id: Int,
  name: maybe(String),
  conclusion: maybe(String),
  head_sha: String,
  head_branch: maybe(String),
  html_url: maybe(String),
  pull_requests: maybe(Schema.Array(Schema.Struct({ number: Int, head: Schema.Struct({ ref: String }) }))),
  check_suite: maybe(Schema.Struct({ head_branch: maybe(String) })),
})
export type Check = typeof Check.Type

/** What all events share. */
const shared = {
  action: optional(String),
  repository: optional(Repo),
  sender: maybe(User),
  installation: maybe(Schema.Struct({ id: Int })),
}
const Shared = Schema.Struct(shared)

const change = Schema.optionalKey(Schema.Struct({ from: maybe(String) }))

/** The events that can say something, each with what it must hold. */
const known = {
  issues: Schema.Struct({
    ...shared,
    issue: Issue,
    label: maybe(Schema.Struct({ name: String })),
    assignee: maybe(User),
    changes: optional(Schema.Struct({ body: change, title: change })),
  }),
  issue_comment: Schema.Struct({ ...shared, issue: Issue, comment: Comment }),
  pull_request: Schema.Struct({
    ...shared,
    pull_request: Pull,
    label: maybe(Schema.Struct({ name: String })),
    assignee: maybe(User),
    requested_reviewer: maybe(User),
    before: optional(String),
    after: optional(String),
    changes: optional(Schema.Struct({ body: change, title: change })),
  }),
  pull_request_review: Schema.Struct({ ...shared, review: Review, pull_request: Schema.Struct(slim()) }),
  pull_request_review_comment: Schema.Struct({
    ...shared,
    comment: Comment,
    pull_request: Schema.Struct(slim()),
  }),
  check_run: Schema.Struct({ ...shared, check_run: Check }),
  check_suite: Schema.Struct({ ...shared, check_suite: Check }),
  workflow_run: Schema.Struct({ ...shared, workflow_run: Check }),
} as const

/** Reviews carry a smaller pull request. */
function slim() {
  const { merged: _, ...rest } = Pull.fields
  return rest
}

export type Known = { readonly [E in keyof typeof known]: { readonly event: E } & (typeof known)[E]["Type"] }
export type KnownEvent = keyof Known
export type Payload = Known[KnownEvent]

const decoders = Object.fromEntries(
  Object.entries(known).map(([event, schema]) => [
    event,
    Schema.decodeUnknownOption(schema as Schema.ConstraintDecoder<object>),
  ]),
) as Readonly<Record<string, (given: unknown) => Option.Option<object>>>
const decodeShared = Schema.decodeUnknownOption(Shared)

export const knownEvents = Object.keys(known) as ReadonlyArray<KnownEvent>

/** Undefined: an event that we do not know, or that lacks what it should have. */
export const decodePayload = (event: string, given: unknown): Payload | undefined => {
  const decode = Object.hasOwn(decoders, event) ? decoders[event] : undefined
  const decoded = decode?.(given)
  return decoded !== undefined && Option.isSome(decoded)
    ? ({ ...decoded.value, event } as unknown as Payload)
    : undefined
}

/** Of any event: what it is about. */
export const gist = (event: string, given: unknown) => ({
  ...Option.getOrElse(decodeShared(given), () => ({})),
  event,
})
