/** What people and Apps can do. Each act changes the ground truth and tells the webhooks; who may do it is checked before. */
import { ApiError } from "./ApiError.ts"
import { branchesOf, git, shaOf } from "./Git.ts"
import type { Hooks } from "./Hooks.ts"
import {
  wireCheck,
  wireComment,
  wireIssue,
  wirePull,
  wireReview,
  wireReviewComment,
  wireUser,
} from "./Wire.ts"
import type { Account, App, Comment, Issue, Reaction, Repo, Review, ReviewComment, World } from "./World.ts"

/** Who acts: a person, or an App by its bot account. */
export interface Actor {
  readonly account: Account
  readonly app: App | null
}

/** GitHub refuses longer bodies. */
const maxBody = 65_536

export class Acts {
  private readonly world: World
  private readonly hooks: Hooks
  private readonly url: () => string

  constructor(world: World, hooks: Hooks, url: () => string) {
    this.world = world
    this.hooks = hooks
    this.url = url
  }

  private text(body: string): string {
    if (body.length > maxBody)
      throw new ApiError(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return body
  }

  private issues(issue: Issue, action: string, sender: Account, more: object = {}): void {
    const event = issue.pull === null ? "issues" : "pull_request"
    const body =
      issue.pull === null
        ? { issue: wireIssue(issue, this.url()) }
        : { number: issue.number, pull_request: wirePull(issue, this.url()) }
    this.hooks.send({ event, action, repo: issue.repo, sender, body: { ...body, ...more } })
  }

  openIssue(
    repo: Repo,
    by: Actor,
    title: string,
    body: string,
    labels: ReadonlyArray<string> = [],
    assignees: ReadonlyArray<Account> = [],
  ): Issue {
    const issue = this.add(repo, by, title, body, null)
    for (const label of labels) issue.labels.add(label)
    for (const assignee of assignees) issue.assignees.add(assignee)
    this.issues(issue, "opened", by.account)
    for (const name of labels) this.issues(issue, "labeled", by.account, { label: { name } })
    for (const assignee of assignees)
      this.issues(issue, "assigned", by.account, { assignee: wireUser(assignee, this.url()) })
    return issue
  }

  private add(repo: Repo, by: Actor, title: string, body: string, pull: Issue["pull"]): Issue {
    const at = this.world.time()
    const issue: Issue = {
      id: this.world.id(),
      number: this.world.nextNumber(repo),
      repo,
      title,
      body: this.text(body),
      user: by.account,
      app: by.app,
      state: "open",
      reason: null,
      labels: new Set(),
      assignees: new Set(),
      reactions: [],
      comments: [],
      createdAt: at,
      updatedAt: at,
      pull,
      moved: null,
    }
    repo.issues.set(issue.number, issue)
    return issue
  }

  editIssue(issue: Issue, by: Actor, change: { readonly title?: string; readonly body?: string }): void {
    const changes = {
      ...(change.title === undefined ? {} : { title: { from: issue.title } }),
      ...(change.body === undefined ? {} : { body: { from: issue.body } }),
    }
    issue.title = change.title ?? issue.title
    issue.body = this.text(change.body ?? issue.body)
    issue.updatedAt = this.world.time()
    this.issues(issue, "edited", by.account, { changes })
  }

  close(issue: Issue, by: Actor, reason: string | null = "completed"): void {
    issue.state = "closed"
    issue.reason = reason
    issue.updatedAt = this.world.time()
    this.issues(issue, "closed", by.account)
  }

  reopen(issue: Issue, by: Actor): void {
    issue.state = "open"
    issue.reason = "reopened"
    issue.updatedAt = this.world.time()
    this.issues(issue, "reopened", by.account)
  }

  label(issue: Issue, by: Actor, name: string): void {
    if (issue.labels.has(name)) return
    issue.labels.add(name)
    issue.updatedAt = this.world.time()
    this.issues(issue, "labeled", by.account, { label: { name } })
  }

  unlabel(issue: Issue, by: Actor, name: string): void {
    if (!issue.labels.delete(name)) throw new ApiError(404, "Label does not exist")
    issue.updatedAt = this.world.time()
    this.issues(issue, "unlabeled", by.account, { label: { name } })
  }

  assign(issue: Issue, by: Actor, to: Account): void {
    issue.assignees.add(to)
    issue.updatedAt = this.world.time()
    this.issues(issue, "assigned", by.account, { assignee: wireUser(to, this.url()) })
  }

  comment(issue: Issue, by: Actor, body: string): Comment {
    if (issue.moved !== null) throw new ApiError(410, "This issue was deleted")
    const at = this.world.time()
    const comment: Comment = {
      id: this.world.id(),
      user: by.account,
      app: by.app,
      body: this.text(body),
      edits: [],
      reactions: [],
      createdAt: at,
      updatedAt: at,
    }
    issue.comments.push(comment)
    issue.updatedAt = at
    this.commented(issue, comment, "created", by)
    return comment
  }

  editComment(issue: Issue, comment: Comment, by: Actor, body: string): void {
    comment.edits.push(comment.body)
    comment.body = this.text(body)
    comment.updatedAt = this.world.time()
    this.commented(issue, comment, "edited", by)
  }

  removeComment(issue: Issue, comment: Comment): void {
    issue.comments.splice(issue.comments.indexOf(comment), 1)
    this.world.changed()
  }

  private commented(issue: Issue, comment: Comment, action: string, by: Actor): void {
    const url = this.url()
    this.hooks.send({
      event: "issue_comment",
      action,
      repo: issue.repo,
      sender: by.account,
      body: { issue: wireIssue(issue, url), comment: wireComment(comment, issue, url) },
    })
  }

  react(to: { readonly reactions: Array<Reaction> }, by: Actor, content: string): Reaction {
    const known = to.reactions.find((r) => r.user.id === by.account.id && r.content === content)
    if (known !== undefined) return known
    const reaction = { id: this.world.id(), user: by.account, content }
    to.reactions.push(reaction)
    this.world.changed()
    return reaction
  }

  openPull(
    repo: Repo,
    by: Actor,
    given: {
      readonly title: string
      readonly body: string
      readonly head: string
      readonly base: string
      readonly draft?: boolean
    },
  ): Issue {
    const headSha = shaOf(repo.directory, `refs/heads/${given.head}`)
    const baseSha = shaOf(repo.directory, `refs/heads/${given.base}`)
    if (headSha === undefined || baseSha === undefined)
      throw new ApiError(422, "Validation Failed: head or base is invalid")
    const open = [...repo.issues.values()].find(
      (i) => i.state === "open" && i.pull?.head === given.head && i.pull.base === given.base,
    )
    if (open !== undefined)
      throw new ApiError(
        422,
        `Validation Failed: A pull request already exists for ${repo.owner.login}:${given.head}.`,
      )
    if (headSha === baseSha)
      throw new ApiError(422, `Validation Failed: No commits between ${given.base} and ${given.head}`)
    const issue = this.add(repo, by, given.title, given.body, {
      head: given.head,
      headRepo: repo,
      base: given.base,
      headSha,
      baseSha,
      draft: given.draft ?? false,
      merged: false,
      requested: new Set(),
      reviews: [],
      threads: [],
      checks: [],
    })
    git(repo.directory, ["update-ref", `refs/pull/${issue.number}/head`, headSha])
    this.issues(issue, "opened", by.account)
    return issue
  }

  ready(issue: Issue, by: Actor): void {
    issue.pull!.draft = false
    issue.updatedAt = this.world.time()
    this.issues(issue, "ready_for_review", by.account)
  }

  requestReview(issue: Issue, by: Actor, reviewer: Account): void {
    issue.pull!.requested.add(reviewer)
    issue.updatedAt = this.world.time()
    this.issues(issue, "review_requested", by.account, { requested_reviewer: wireUser(reviewer, this.url()) })
  }

  /** Branches were changed: pull requests follow. */
  pushed(repo: Repo, by: Actor, before: ReadonlyMap<string, string>): void {
    const now = branchesOf(repo.directory)
    for (const [branch, sha] of now) {
      if (before.get(branch) === sha) continue
      this.hooks.send({
        event: "push",
        action: null,
        repo,
        sender: by.account,
        body: {
          ref: `refs/heads/${branch}`,
          before: before.get(branch) ?? "0".repeat(40),
          after: sha,
          commits: [],
        },
      })
      for (const issue of repo.issues.values()) {
        const { pull } = issue
        if (pull?.head !== branch || issue.state !== "open") continue
        const from = pull.headSha
        pull.headSha = sha
        issue.updatedAt = this.world.time()
        git(repo.directory, ["update-ref", `refs/pull/${issue.number}/head`, sha])
        this.issues(issue, "synchronize", by.account, { before: from, after: sha })
      }
    }
    this.world.changed()
  }

  review(
    issue: Issue,
    by: Actor,
    given: {
      readonly state: Review["state"]
      readonly body: string
      readonly comments?: ReadonlyArray<{
        readonly path: string
        readonly line: number
        readonly side?: "LEFT" | "RIGHT"
        readonly body: string
      }>
    },
  ): Review {
    const pull = issue.pull!
    for (const { path, line, side } of given.comments ?? [])
      if (!changedLines(issue, path, side ?? "RIGHT").has(line))
        throw new ApiError(
          422,
          "Unprocessable Entity: pull_request_review_thread.line must be part of the diff",
        )
    const review: Review = {
      id: this.world.id(),
      user: by.account,
      app: by.app,
      body: this.text(given.body),
      state: given.state,
      commit: pull.headSha,
      at: this.world.time(),
    }
    pull.reviews.push(review)
    issue.updatedAt = review.at
    const url = this.url()
    this.hooks.send({
      event: "pull_request_review",
      action: "submitted",
      repo: issue.repo,
      sender: by.account,
      body: {
        review: { ...wireReview(review, issue, url), state: review.state.toLowerCase() },
        pull_request: wirePull(issue, url),
      },
    })
    for (const c of given.comments ?? [])
      this.reviewComment(issue, by, c.path, c.line, c.body, null, review.id, c.side)
    return review
  }

  reviewComment(
    issue: Issue,
    by: Actor,
    path: string,
    line: number,
    body: string,
    replyTo: number | null = null,
    review: number | null = null,
    side: "LEFT" | "RIGHT" = "RIGHT",
  ): ReviewComment {
    const at = this.world.time()
    const comment: ReviewComment = {
      id: this.world.id(),
      user: by.account,
      app: by.app,
      body: this.text(body),
      edits: [],
      reactions: [],
      createdAt: at,
      updatedAt: at,
      path,
      line,
      side,
      replyTo,
      review,
      commit: issue.pull!.headSha,
    }
    issue.pull!.threads.push(comment)
    this.reviewed(issue, comment, "created", by)
    return comment
  }

  editReviewComment(issue: Issue, comment: ReviewComment, by: Actor, body: string): void {
    comment.edits.push(comment.body)
    comment.body = this.text(body)
    comment.updatedAt = this.world.time()
    this.reviewed(issue, comment, "edited", by)
  }

  private reviewed(issue: Issue, comment: ReviewComment, action: string, by: Actor): void {
    const url = this.url()
    this.hooks.send({
      event: "pull_request_review_comment",
      action,
      repo: issue.repo,
      sender: by.account,
      body: { comment: wireReviewComment(comment, issue, url), pull_request: wirePull(issue, url) },
    })
  }

  check(issue: Issue, by: Account, name: string, conclusion: string, summary: string): void {
    const pull = issue.pull!
    const check = { id: this.world.id(), name, sha: pull.headSha, conclusion, summary }
    pull.checks.push(check)
    const url = this.url()
    const wire = wireCheck(check, issue, url)
    this.hooks.send({
      event: "check_run",
      action: "completed",
      repo: issue.repo,
      sender: by,
      body: { check_run: wire },
    })
    this.hooks.send({
      event: "check_suite",
      action: "completed",
      repo: issue.repo,
      sender: by,
      body: {
        check_suite: {
          id: check.id + 500_000,
          head_branch: pull.head,
          head_sha: check.sha,
          status: "completed",
          conclusion,
          pull_requests: wire.pull_requests,
        },
      },
    })
  }
}

/** The lines of one side that a diff shows and a review may comment on. */
const changedLines = (issue: Issue, path: string, side: "LEFT" | "RIGHT"): ReadonlySet<number> => {
  const { directory } = issue.repo
  const { baseSha, headSha } = issue.pull!
  const base = git(directory, ["merge-base", baseSha, headSha])
  const lines = new Set<number>()
  let [left, right] = [0, 0]
  for (const line of git(directory, ["diff", base, headSha, "--", path]).split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line)
    if (hunk !== null) [left, right] = [Number(hunk[1]), Number(hunk[2])]
    else if (left + right === 0) continue
    else {
      const [sign] = line
      if (sign !== "+") {
        if (side === "LEFT") lines.add(left)
        left++
      }
      if (sign !== "-") {
        if (side === "RIGHT") lines.add(right)
        right++
      }
    }
  }
  return lines
}
