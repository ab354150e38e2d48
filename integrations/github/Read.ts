/**
 * One event of GitHub as words in rooms. Pure. An issue or pull request is a room; its channel is `<repository>/<number>`,
 * both numbers. What cannot be read as words is kept with the delivery and says nothing.
 *
 * Source keys (P1) are `gh:<kind>:<id>:<time>`. An edit in the same second as what it edits has the same time on GitHub, so
 * the key of an edit also tells its text.
 */
import { createHash } from "node:crypto"

import { ownBranch, markOf } from "./Marker.ts"
import { askedBy, type Asked, type Member } from "./Mentions.ts"
import type { Check, Comment, Issue, Payload, Pull, User } from "./Payload.ts"
import { visible } from "./Visible.ts"

export interface ReadContext {
  readonly appId: number
  /** Of the App's own account. */
  readonly botId: number
  readonly slug: string
  readonly members: ReadonlyArray<Member>
  readonly workLabel: string | undefined
}

/** Words of a person, or what a person did, in words. */
export interface Spoken {
  readonly number: number
  readonly title: string
  readonly sourceKey: string
  readonly edits: string | null
  readonly by: User
  readonly text: string
  readonly asked: Asked
  /** The first comment of the thread on changed lines that it stands in. */
  readonly thread: number | null
  /** Where the pictures of its body can be asked for. */
  readonly body: BodyOf | null
  /** They open a pull request: what it changes belongs to them. */
  readonly opensPull: boolean
}

export type BodyOf = { readonly kind: "issue" | "comment" | "review_comment"; readonly id: number }

/** A check of an agent's own pull request failed. */
export interface Failed {
  readonly number: number
  readonly sourceKey: string
  readonly agent: string
  /** The issue or pull request for which the agent made the branch. */
  readonly work: number
  readonly text: string
}

export interface Heard {
  /** In order; what opened the room comes first, where it may not have been heard. */
  readonly spoken: ReadonlyArray<Spoken>
  readonly failed: Failed | null
}

const nothing: Heard = { spoken: [], failed: null }
const nobody: Asked = { agents: [], app: false }
const anybody: Asked = { agents: [], app: true }

export const read = (payload: Payload, context: ReadContext): Heard => {
  switch (payload.event) {
    case "issues":
      return about(payload, payload.issue, "issue", context)
    case "pull_request":
      return about(payload, payload.pull_request, "pull request", context)
    case "issue_comment": {
      const { issue, comment, action } = payload
      if (action !== "created" && action !== "edited") return nothing
      return said(comment, "comment", issue, context, action === "edited" ? payload.sender : undefined)
    }
    case "pull_request_review_comment": {
      const { pull_request: pull, comment, action } = payload
      if (action !== "created" && action !== "edited") return nothing
      return said(comment, "review_comment", pull, context, action === "edited" ? payload.sender : undefined)
    }
    case "pull_request_review":
      return reviewed(payload, context)
    case "check_run":
      return checked(payload.action, payload.check_run)
    case "check_suite":
      return checked(payload.action, payload.check_suite)
    case "workflow_run":
      return checked(payload.action, payload.workflow_run)
  }
}

/** Loops end here, by numbers: other programs, ourselves, and words that carry our mark whoever's account they come from. */
export const isOurs = (
  user: User | null | undefined,
  context: ReadContext,
  what: {
    readonly body?: string | null
    readonly performed_via_github_app?: { readonly id: number } | null
  } = {},
): boolean =>
  user === null ||
  user === undefined ||
  user.type === "Bot" ||
  user.id === context.botId ||
  what.performed_via_github_app?.id === context.appId ||
  markOf(what.body) !== undefined

type Room = Issue | Omit<Pull, "merged">

const titleOf = ({ number, title }: Room) => `#${number} ${oneLine(title)}`
const oneLine = (text: string) =>
  visible(text)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 200)
    .toWellFormed()

const openingKey = (room: Room) => `gh:opening:${room.number}:${room.created_at}`
const textOf = ({ title, body, labels = [] }: Room) =>
  [
    `# ${oneLine(title)}`,
    ...(labels.length === 0 ? [] : [`Labels: ${labels.map((l) => oneLine(l.name)).join(", ")}`]),
    visible(body ?? ""),
  ]
    .join("\n\n")
    .trim()
const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12)

/** Title and body, as the author wrote them; heard once, whichever event tells of the room first. */
export const openingOf = (room: Room, context: ReadContext, asks: boolean): ReadonlyArray<Spoken> => {
  const { user } = room
  if (user === null || isOurs(user, context, room)) return []
  return [
    {
      number: room.number,
      title: titleOf(room),
      sourceKey: openingKey(room),
      edits: null,
      by: user,
      text: textOf(room),
      asked: asks ? askedBy(`${room.title}\n\n${room.body ?? ""}`, context.members, context.slug) : nobody,
      thread: null,
      body: { kind: "issue", id: room.number },
      opensPull: "head" in room || room.pull_request != null,
    },
  ]
}

const about = (
  payload: Extract<Payload, { event: "issues" | "pull_request" }>,
  room: Issue | Pull,
  word: string,
  context: ReadContext,
): Heard => {
  const { action = "", sender } = payload
  if (action === "opened") return { spoken: openingOf(room, context, true), failed: null }
  if (sender === null || sender === undefined || isOurs(sender, context)) return nothing
  const did = (text: string, asked: Asked = nobody, key = action): Heard => ({
    spoken: [
      ...(asked.app ? openingOf(room, context, false) : []),
      {
        number: room.number,
        title: titleOf(room),
        sourceKey: `gh:${key}:${room.number}:${room.updated_at}`,
        edits: null,
        by: sender,
        text: `[${text}]`,
        asked,
        thread: null,
        body: null,
        opensPull: false,
      },
    ],
    failed: null,
  })
  switch (action) {
    case "edited": {
      if (payload.changes?.body === undefined && payload.changes?.title === undefined) return nothing
      const text = textOf(room)
      const [opening] = openingOf(room, context, true)
      if (opening === undefined) return nothing
      const key = `gh:edit:${room.number}:${room.updated_at}:${hash(text)}`
      // Whoever edits the words of somebody else speaks for themselves.
      return { spoken: [{ ...opening, sourceKey: key, edits: openingKey(room), by: sender }], failed: null }
    }
    case "assigned":
      return payload.assignee?.id === context.botId ? did(`assigned this ${word} to you`, anybody) : nothing
    case "labeled": {
      const label = payload.label?.name
      if (label === undefined || label.toLowerCase() !== context.workLabel?.toLowerCase()) return nothing
      return did(`gave this ${word} the label "${oneLine(label)}": it is work for you`, anybody)
    }
    case "reopened": {
      const work =
        room.labels?.some((l) => l.name.toLowerCase() === context.workLabel?.toLowerCase()) === true
      return did(`reopened this ${word}`, work ? anybody : nobody)
    }
    case "closed": {
      const how = "merged" in room && room.merged === true ? "merged" : "closed"
      return did(`${how} this ${word}`)
    }
  }
  if (payload.event !== "pull_request") return nothing
  switch (action) {
    case "synchronize":
      return did(`pushed; the head is ${payload.pull_request.head.sha} now`)
    case "ready_for_review":
      return did("marked this pull request as ready for review")
    case "review_requested":
      return payload.requested_reviewer?.id === context.botId
        ? did("asked you for a review of this pull request", anybody)
        : nothing
    default:
      return nothing
  }
}

/** `editor`: it is an edit, and whose. Whoever edits the words of somebody else speaks for themselves; an edit of nobody knows whom asks nobody. */
export const said = (
  comment: Comment,
  kind: "comment" | "review_comment",
  room: Room,
  context: ReadContext,
  editor?: User | null,
): Heard => {
  const body = comment.body ?? ""
  const edited = editor !== undefined || comment.updated_at !== comment.created_at
  const by = editor ?? comment.user
  if (by === null || isOurs(by, context, comment) || isOurs(comment.user, context)) return nothing
  const original = `gh:${kind}:${comment.id}:${comment.created_at}`
  const place =
    comment.path === undefined
      ? ""
      : `[on ${oneLine(comment.path)}${comment.line == null ? "" : `, line ${comment.line}`}]\n`
  const asked =
    edited && (editor === undefined || editor === null)
      ? nobody
      : askedBy(body, context.members, context.slug)
  return {
    spoken: [
      ...(asked.app || asked.agents.length > 0 ? openingOf(room, context, false) : []),
      {
        number: room.number,
        title: titleOf(room),
        sourceKey: edited ? `gh:${kind}:${comment.id}:${comment.updated_at}:${hash(body)}` : original,
        edits: edited ? original : null,
        by,
        text: `${place}${visible(body)}`,
        asked,
        thread: kind === "review_comment" ? (comment.in_reply_to_id ?? comment.id) : null,
        body: { kind, id: comment.id },
        opensPull: false,
      },
    ],
    failed: null,
  }
}

const reviewed = (
  { action, review, pull_request: pull }: Extract<Payload, { event: "pull_request_review" }>,
  context: ReadContext,
): Heard => {
  const by = review.user
  if ((action !== "submitted" && action !== "edited") || by === null || isOurs(by, context, review))
    return nothing
  const body = review.body ?? ""
  const state = review.state.toLowerCase()
  const named = askedBy(body, context.members, context.slug)
  const own = pull.user?.id === context.botId ? ownBranch(pull.head.ref)?.agent : undefined
  const owner = context.members.find((m) => m.name === own)?.id
  const asked: Asked =
    named.app || named.agents.length > 0 || owner === undefined || state === "approved" || action === "edited"
      ? named
      : { agents: [owner], app: false }
  const at = review.submitted_at ?? pull.updated_at
  const original = `gh:review:${review.id}:${at}`
  return {
    spoken: [
      ...(asked.app || asked.agents.length > 0 ? openingOf(pull, context, false) : []),
      {
        number: pull.number,
        title: titleOf(pull),
        sourceKey: action === "edited" ? `${original}:${hash(body)}` : original,
        edits: action === "edited" ? original : null,
        by,
        text: `[review: ${state.replaceAll("_", " ")}]\n${visible(body)}`.trim(),
        asked,
        thread: null,
        body: null,
        opensPull: false,
      },
    ],
    failed: null,
  }
}

const checked = (action: string | undefined, check: Check): Heard => {
  const bad = check.conclusion === "failure" || check.conclusion === "timed_out"
  const ref = check.head_branch ?? check.check_suite?.head_branch ?? check.pull_requests?.[0]?.head.ref ?? ""
  const branch = ownBranch(ref)
  const number = check.pull_requests?.[0]?.number
  if (action !== "completed" || !bad || branch === undefined || number === undefined) return nothing
  return {
    spoken: [],
    failed: {
      number,
      // However many checks of a commit fail, they are one thing to mend.
      sourceKey: `gh:checks:${number}:${check.head_sha}`,
      agent: branch.agent,
      work: branch.number,
      text:
        `[checks of this pull request failed at ${check.head_sha}` +
        `${check.name == null ? "" : `, first "${oneLine(check.name)}"`}: look, mend it, push]`,
    },
  }
}

/** Agents by name, as a policy lists them. */
export const among = (
  members: ReadonlyArray<Member>,
  names: ReadonlyArray<string> | null,
): ReadonlyArray<Member> => (names === null ? members : members.filter((m) => names.includes(m.name)))
