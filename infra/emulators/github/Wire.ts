/** The shapes of REST answers and webhook payloads: the part of GitHub's published OpenAPI types that clients read. */
import type { components } from "@octokit/openapi-types"
import {
  nameOf,
  type Account,
  type App,
  type Check,
  type Comment,
  type Delivery,
  type Issue,
  type Repo,
  type Review,
  type ReviewComment,
} from "./World.ts"

type Schemas = components["schemas"]

type WireUser = Pick<Schemas["simple-user"], "id" | "node_id" | "login" | "type" | "html_url" | "site_admin">

export const wireUser = (account: Account, url: string): WireUser => ({
  id: account.id,
  node_id: `U_${account.id}`,
  login: account.login,
  type: account.type,
  html_url: `${url}/${account.login}`,
  site_admin: false,
})

type WireRepo = Pick<
  Schemas["minimal-repository"],
  "id" | "node_id" | "name" | "full_name" | "private" | "html_url" | "url" | "clone_url" | "default_branch"
> & { readonly owner: WireUser }

export const wireRepo = (repo: Repo, url: string): WireRepo => ({
  id: repo.id,
  node_id: `R_${repo.id}`,
  name: repo.name,
  full_name: nameOf(repo),
  private: repo.private,
  owner: wireUser(repo.owner, url),
  html_url: `${url}/${nameOf(repo)}`,
  url: `${url}/api/v3/repos/${nameOf(repo)}`,
  clone_url: `${url}/${nameOf(repo)}.git`,
  default_branch: "main",
})

const wireApp = (app: App | null) =>
  app === null ? null : ({ id: app.id, slug: app.slug, name: app.slug } as const)

type WireIssue = Pick<
  Schemas["issue"],
  | "id"
  | "number"
  | "title"
  | "body"
  | "state"
  | "state_reason"
  | "created_at"
  | "updated_at"
  | "html_url"
  | "comments"
  | "author_association"
>

const reasons = ["completed", "reopened", "not_planned", "duplicate"] as const

export const wireIssue = (issue: Issue, url: string) => ({
  ...({
    id: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    state_reason: reasons.find((r) => r === issue.reason) ?? null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    html_url: `${url}/${nameOf(issue.repo)}/${issue.pull === null ? "issues" : "pull"}/${issue.number}`,
    comments: issue.comments.length,
    author_association: "NONE",
  } satisfies WireIssue),
  user: wireUser(issue.user, url),
  labels: [...issue.labels].map((name) => ({ name })),
  assignees: [...issue.assignees].map((a) => wireUser(a, url)),
  performed_via_github_app: wireApp(issue.app),
  ...(issue.pull === null
    ? {}
    : { pull_request: { url: `${url}/api/v3/repos/${nameOf(issue.repo)}/pulls/${issue.number}` } }),
})

type WirePull = Pick<
  Schemas["pull-request"],
  "id" | "number" | "title" | "body" | "state" | "draft" | "merged" | "created_at" | "updated_at" | "html_url"
>

export const wirePull = (issue: Issue, url: string) => {
  const { pull } = issue
  if (pull === null) throw new Error(`#${issue.number} is no pull request`)
  return {
    ...({
      id: issue.id,
      number: issue.number,
      title: issue.title,
      body: issue.body,
      state: issue.state,
      draft: pull.draft,
      merged: pull.merged,
      created_at: issue.createdAt,
      updated_at: issue.updatedAt,
      html_url: `${url}/${nameOf(issue.repo)}/pull/${issue.number}`,
    } satisfies WirePull),
    user: wireUser(issue.user, url),
    labels: [...issue.labels].map((name) => ({ name })),
    assignees: [...issue.assignees].map((a) => wireUser(a, url)),
    requested_reviewers: [...pull.requested].map((a) => wireUser(a, url)),
    head: { ref: pull.head, sha: pull.headSha, repo: wireRepo(pull.headRepo, url) },
    base: { ref: pull.base, sha: pull.baseSha, repo: wireRepo(issue.repo, url) },
  }
}

type WireComment = Pick<
  Schemas["issue-comment"],
  "id" | "body" | "created_at" | "updated_at" | "html_url" | "author_association"
>

export const wireComment = (comment: Comment, issue: Issue, url: string) => ({
  ...({
    id: comment.id,
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: `${url}/${nameOf(issue.repo)}/issues/${issue.number}#issuecomment-${comment.id}`,
    author_association: "NONE",
  } satisfies WireComment),
  user: wireUser(comment.user, url),
  issue_url: `${url}/api/v3/repos/${nameOf(issue.repo)}/issues/${issue.number}`,
  performed_via_github_app: wireApp(comment.app),
})

type WireReviewComment = Pick<
  Schemas["pull-request-review-comment"],
  | "id"
  | "body"
  | "path"
  | "line"
  | "side"
  | "commit_id"
  | "created_at"
  | "updated_at"
  | "html_url"
  | "diff_hunk"
>

export const wireReviewComment = (comment: ReviewComment, issue: Issue, url: string) => ({
  ...({
    id: comment.id,
    body: comment.body,
    path: comment.path,
    line: comment.line,
    side: comment.side,
    commit_id: comment.commit,
    diff_hunk: "@@ -1 +1 @@",
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: `${url}/${nameOf(issue.repo)}/pull/${issue.number}#discussion_r${comment.id}`,
  } satisfies WireReviewComment),
  user: wireUser(comment.user, url),
  pull_request_review_id: comment.review,
  pull_request_url: `${url}/api/v3/repos/${nameOf(issue.repo)}/pulls/${issue.number}`,
  ...(comment.replyTo === null ? {} : { in_reply_to_id: comment.replyTo }),
})

export const wireReview = (review: Review, issue: Issue, url: string) => ({
  id: review.id,
  body: review.body,
  state: review.state,
  commit_id: review.commit,
  submitted_at: review.at,
  html_url: `${url}/${nameOf(issue.repo)}/pull/${issue.number}#pullrequestreview-${review.id}`,
  user: wireUser(review.user, url),
})

export const wireCheck = (check: Check, issue: Issue, url: string) => ({
  id: check.id,
  name: check.name,
  head_sha: check.sha,
  status: "completed",
  conclusion: check.conclusion,
  html_url: `${url}/${nameOf(issue.repo)}/runs/${check.id}`,
  output: { title: check.name, summary: check.summary },
  pull_requests: [
    {
      id: issue.id,
      number: issue.number,
      head: { ref: issue.pull?.head, sha: check.sha },
      base: { ref: issue.pull?.base },
    },
  ],
})

export const wireDelivery = (d: Delivery) => ({
  id: d.id,
  guid: d.guid,
  delivered_at: d.at,
  redelivery: d.redelivery,
  duration: 0.1,
  status: d.status === 0 ? "timed out" : d.status < 300 ? "OK" : `Invalid HTTP Response: ${d.status}`,
  status_code: d.status,
  event: d.event,
  action: d.action,
  installation_id: d.installation,
  repository_id: d.repo,
})
