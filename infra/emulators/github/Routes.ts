/** The REST calls, as the documentation names them. A route says what it needs; the server has checked it. */
import { ApiError, notFound } from "./ApiError.ts"
import type { Acts, Actor } from "./Acts.ts"
import { git } from "./Git.ts"
import type { Hooks } from "./Hooks.ts"
import {
  wireCheck,
  wireComment,
  wireDelivery,
  wireIssue,
  wirePull,
  wireRepo,
  wireReview,
  wireReviewComment,
  wireUser,
} from "./Wire.ts"
import {
  nameOf,
  type App,
  type Comment,
  type Issue,
  type Repo,
  type Review,
  type Token,
  type World,
} from "./World.ts"

type Json = Readonly<Record<string, unknown>>

export interface Call {
  readonly world: World
  readonly acts: Acts
  readonly hooks: Hooks
  readonly url: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Json
  readonly accept: string
  readonly tokenTtlMs: number
  /** Of the token's App. */
  readonly app: App
  readonly token: Token | null
  /** The repository of the path. */
  readonly repo: Repo
  readonly actor: Actor
}

export interface Answer {
  readonly status?: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  /** `app`: a JWT. `token`: an installation token. `none`: neither. */
  readonly needs: "app" | "token" | "none"
  /** A permission that the token must have: `issues:write`. */
  readonly permission?: string
  /** Counts against the limits on creating content. */
  readonly creates?: boolean
  readonly run: (call: Call) => Answer
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const paged = (call: Call, items: ReadonlyArray<unknown>): Answer => {
  const per = Math.min(Number(call.query.get("per_page") ?? 30), 100)
  const page = Number(call.query.get("page") ?? 1)
  const more = items.length > page * per
  const next = new URLSearchParams(call.query)
  next.set("page", String(page + 1))
  return {
    body: items.slice((page - 1) * per, page * per),
    ...(more ? { headers: { link: `<${call.url}/api/v3/next?${next.toString()}>; rel="next"` } } : {}),
  }
}

const issueOf = (call: Call): Issue => {
  const issue = call.repo.issues.get(Number(call.params["issue_number"] ?? call.params["pull_number"]))
  if (issue === undefined) throw notFound()
  if (issue.moved !== null)
    throw new ApiError(301, "Moved Permanently", {
      location: `${call.url}/api/v3/repos/${nameOf(issue.moved.repo)}/issues/${issue.moved.number}`,
    })
  return issue
}

const pullOf = (call: Call): Issue => {
  const issue = issueOf(call)
  if (issue.pull === null) throw notFound()
  return issue
}

const since = (call: Call, at: string): boolean => {
  const given = call.query.get("since")
  return given === null || Date.parse(at) >= Math.floor(Date.parse(given) / 1000) * 1000
}

const commentOf = (call: Call): { readonly issue: Issue; readonly comment: Comment } => {
  const id = Number(call.params["comment_id"])
  for (const issue of call.repo.issues.values())
    for (const comment of issue.comments) if (comment.id === id) return { issue, comment }
  throw notFound()
}

const threadOf = (call: Call) => {
  const id = Number(call.params["comment_id"])
  for (const issue of call.repo.issues.values())
    for (const comment of issue.pull?.threads ?? []) if (comment.id === id) return { issue, comment }
  throw notFound()
}

/** With the body as it is shown, for those who ask for it. */
const shown = <A extends { readonly body?: string | null }>(
  call: Call,
  wire: A,
): A | (A & { readonly body_html: string }) =>
  call.accept.includes("full+json")
    ? {
        ...wire,
        body_html: (wire.body ?? "").replaceAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g, '<img src="$2" alt="$1">'),
      }
    : wire

const mine = (call: Call, comment: Comment) => {
  if (comment.app?.id !== call.app.id) throw new ApiError(403, "Resource not accessible by integration")
}

const reviewStates: Readonly<Record<string, Review["state"]>> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
}

const get = (permission: string, run: Route["run"]): Route => ({
  needs: "token",
  permission: `${permission}:read`,
  run,
})
const write = (permission: string, run: Route["run"], creates = false): Route => ({
  needs: "token",
  permission: `${permission}:write`,
  creates,
  run,
})

const issuesPath = "/repos/{owner}/{repo}/issues"
const pullsPath = "/repos/{owner}/{repo}/pulls"

export const routes: Readonly<Record<string, Route>> = {
  "GET /app": {
    needs: "app",
    run: ({ app, url }) => ({
      body: {
        id: app.id,
        slug: app.slug,
        name: app.slug,
        owner: wireUser(app.bot, url),
        permissions: app.permissions,
        html_url: `${url}/apps/${app.slug}`,
      },
    }),
  },
  "GET /app/installations": {
    needs: "app",
    run: (call) =>
      paged(
        call,
        [...call.world.installations.values()]
          .filter((i) => i.app === call.app)
          .map((i) => ({
            id: i.id,
            account: wireUser(i.account, call.url),
            app_id: call.app.id,
            permissions: call.app.permissions,
          })),
      ),
  },
  "POST /app/installations/{installation_id}/access_tokens": {
    needs: "app",
    run: ({ world, app, params, body, url, tokenTtlMs }) => {
      const installation = world.installations.get(Number(params["installation_id"]))
      if (installation?.app !== app) throw notFound()
      const ids = body["repository_ids"] as ReadonlyArray<number> | undefined
      const repos = [...installation.repos].filter(
        (r) => !r.deleted && (ids === undefined || ids.includes(r.id)),
      )
      if (ids !== undefined && repos.length !== ids.length)
        throw new ApiError(
          422,
          "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
      const asked = (body["permissions"] ?? app.permissions) as Readonly<Record<string, string>>
      for (const [name, level] of Object.entries(asked))
        if (app.permissions[name] !== "write" && app.permissions[name] !== level)
          throw new ApiError(422, "The permissions requested are not granted to this installation.")
      const expiresAt = world.now() + tokenTtlMs
      const middle = Buffer.from(`${app.id}.${world.id()}.`.padEnd(380, "x")).toString("base64url")
      const token = `ghs_${app.id}_eyJhbGciOiJSUzI1NiJ9.${middle}.${"s".repeat(80)}`
      world.tokens.set(token, { token, installation, repos: new Set(repos), permissions: asked, expiresAt })
      return {
        status: 201,
        body: {
          token,
          expires_at: new Date(expiresAt).toISOString(),
          permissions: asked,
          repositories: repos.map((r) => wireRepo(r, url)),
        },
      }
    },
  },
  "GET /repos/{owner}/{repo}/installation": {
    needs: "app",
    run: ({ world, repo, app }) => {
      const found = [...world.installations.values()].find((i) => i.app === app && i.repos.has(repo))
      if (found === undefined) throw notFound()
      return { body: { id: found.id, app_id: app.id, permissions: app.permissions } }
    },
  },
  "GET /app/hook/deliveries": {
    needs: "app",
    run: ({ app, query, url }) => {
      const per = Math.min(Number(query.get("per_page") ?? 30), 100)
      const cursor = query.get("cursor")
      const all = app.deliveries.toReversed().filter((d) => cursor === null || d.id < Number(cursor))
      const page = all.slice(0, per)
      const last = page.at(-1)
      return {
        body: page.map(wireDelivery),
        ...(all.length > per && last !== undefined
          ? {
              headers: {
                link: `<${url}/api/v3/app/hook/deliveries?per_page=${per}&cursor=${last.id}>; rel="next"`,
              },
            }
          : {}),
      }
    },
  },
  "GET /app/hook/deliveries/{delivery_id}": {
    needs: "app",
    run: ({ app, params }) => {
      const found = app.deliveries.find((d) => d.id === Number(params["delivery_id"]))
      if (found === undefined) throw notFound()
      return {
        body: {
          ...wireDelivery(found),
          request: { headers: found.headers, payload: JSON.parse(found.payload) as unknown },
          response: { headers: {}, payload: null },
        },
      }
    },
  },
  "POST /app/hook/deliveries/{delivery_id}/attempts": {
    needs: "app",
    run: ({ app, hooks, params }) => {
      const found = app.deliveries.find((d) => d.id === Number(params["delivery_id"]))
      if (found === undefined) throw notFound()
      hooks.again(app, found)
      return { status: 202, body: {} }
    },
  },
  "POST /app-manifests/{code}/conversions": {
    needs: "none",
    run: ({ world, params, url }) => {
      const code = params["code"] ?? ""
      const app = world.manifests.get(code)
      if (app === undefined) throw notFound()
      world.manifests.delete(code)
      return {
        status: 201,
        body: {
          id: app.id,
          slug: app.slug,
          name: app.slug,
          pem: app.privateKey,
          webhook_secret: app.webhookSecret,
          html_url: `${url}/apps/${app.slug}`,
        },
      }
    },
  },
  "GET /installation/repositories": get("metadata", (call) => {
    const all = [...call.token!.repos].filter((r) => !r.deleted).map((r) => wireRepo(r, call.url))
    const page = paged(call, all)
    return { ...page, body: { total_count: all.length, repositories: page.body } }
  }),
  "GET /repos/{owner}/{repo}": get("metadata", ({ repo, url }) => ({ body: wireRepo(repo, url) })),
  "GET /user/{account_id}": get("metadata", ({ world, params, url }) => {
    const account = world.accounts.get(Number(params["account_id"]))
    if (account === undefined) throw notFound()
    return { body: wireUser(account, url) }
  }),
  "GET /users/{username}": get("metadata", ({ world, params, url }) => {
    const account = world.account(params["username"] ?? "")
    if (account === undefined) throw notFound()
    return { body: wireUser(account, url) }
  }),
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission": get(
    "metadata",
    ({ world, repo, params, url }) => {
      const account = world.account(params["username"] ?? "")
      if (account === undefined) throw notFound()
      const role = world.permission(repo, account)
      const coarse = role === "maintain" ? "write" : role === "triage" ? "read" : role
      return { body: { permission: coarse, role_name: role, user: wireUser(account, url) } }
    },
  ),
  [`GET ${issuesPath}`]: get("issues", (call) => {
    const state = call.query.get("state") ?? "open"
    const found = [...call.repo.issues.values()]
      .filter((i) => i.moved === null && (state === "all" || i.state === state) && since(call, i.updatedAt))
      .toSorted((a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.id - b.id)
    if (call.query.get("direction") !== "asc") found.reverse()
    return paged(
      call,
      found.map((i) => wireIssue(i, call.url)),
    )
  }),
  [`POST ${issuesPath}`]: write(
    "issues",
    (call) => {
      const labels = (call.body["labels"] ?? []) as ReadonlyArray<string>
      const issue = call.acts.openIssue(
        call.repo,
        call.actor,
        text(call.body["title"]),
        text(call.body["body"]),
        labels,
      )
      return { status: 201, body: wireIssue(issue, call.url) }
    },
    true,
  ),
  [`GET ${issuesPath}/comments`]: get("issues", (call) =>
    paged(
      call,
      [...call.repo.issues.values()]
        .flatMap((issue) => issue.comments.map((comment) => ({ issue, comment })))
        .filter(({ comment }) => since(call, comment.updatedAt))
        .toSorted(
          (a, b) => a.comment.updatedAt.localeCompare(b.comment.updatedAt) || a.comment.id - b.comment.id,
        )
        .map(({ issue, comment }) => wireComment(comment, issue, call.url)),
    ),
  ),
  [`GET ${issuesPath}/{issue_number}`]: get("issues", (call) => ({
    body: shown(call, wireIssue(issueOf(call), call.url)),
  })),
  [`GET ${issuesPath}/{issue_number}/comments`]: get("issues", (call) => {
    const issue = issueOf(call)
    return paged(
      call,
      issue.comments.filter((c) => since(call, c.updatedAt)).map((c) => wireComment(c, issue, call.url)),
    )
  }),
  [`POST ${issuesPath}/{issue_number}/comments`]: write(
    "issues",
    (call) => {
      const issue = issueOf(call)
      return {
        status: 201,
        body: wireComment(call.acts.comment(issue, call.actor, text(call.body["body"])), issue, call.url),
      }
    },
    true,
  ),
  [`GET ${issuesPath}/comments/{comment_id}`]: get("issues", (call) => {
    const { issue, comment } = commentOf(call)
    return { body: shown(call, wireComment(comment, issue, call.url)) }
  }),
  [`PATCH ${issuesPath}/comments/{comment_id}`]: write("issues", (call) => {
    const { issue, comment } = commentOf(call)
    mine(call, comment)
    call.acts.editComment(issue, comment, call.actor, text(call.body["body"]))
    return { body: wireComment(comment, issue, call.url) }
  }),
  [`DELETE ${issuesPath}/comments/{comment_id}`]: write("issues", (call) => {
    const { issue, comment } = commentOf(call)
    mine(call, comment)
    call.acts.removeComment(issue, comment)
    return { status: 204, body: null }
  }),
  [`POST ${issuesPath}/{issue_number}/labels`]: write("issues", (call) => {
    const issue = issueOf(call)
    for (const name of call.body["labels"] as ReadonlyArray<string>) call.acts.label(issue, call.actor, name)
    return { body: [...issue.labels].map((name) => ({ name })) }
  }),
  [`DELETE ${issuesPath}/{issue_number}/labels/{name}`]: write("issues", (call) => {
    const issue = issueOf(call)
    call.acts.unlabel(issue, call.actor, call.params["name"] ?? "")
    return { body: [...issue.labels].map((name) => ({ name })) }
  }),
  [`POST ${issuesPath}/{issue_number}/reactions`]: write("issues", (call) => ({
    status: 201,
    body: call.acts.react(issueOf(call), call.actor, text(call.body["content"])),
  })),
  [`POST ${issuesPath}/comments/{comment_id}/reactions`]: write("issues", (call) => ({
    status: 201,
    body: call.acts.react(commentOf(call).comment, call.actor, text(call.body["content"])),
  })),
  [`GET ${pullsPath}`]: get("pull_requests", (call) => {
    const state = call.query.get("state") ?? "open"
    const head = call.query.get("head")?.split(":").at(-1)
    return paged(
      call,
      [...call.repo.issues.values()]
        .filter(
          (i) =>
            i.pull !== null &&
            (state === "all" || i.state === state) &&
            (head === undefined || i.pull.head === head),
        )
        .map((i) => wirePull(i, call.url)),
    )
  }),
  [`POST ${pullsPath}`]: write(
    "pull_requests",
    (call) => {
      const { body } = call
      const issue = call.acts.openPull(call.repo, call.actor, {
        title: text(body["title"]),
        body: text(body["body"]),
        head: text(body["head"]),
        base: text(body["base"]),
        draft: body["draft"] === true,
      })
      return { status: 201, body: wirePull(issue, call.url) }
    },
    true,
  ),
  [`GET ${pullsPath}/comments`]: get("pull_requests", (call) =>
    paged(
      call,
      [...call.repo.issues.values()]
        .flatMap((issue) => (issue.pull?.threads ?? []).map((comment) => ({ issue, comment })))
        .filter(({ comment }) => since(call, comment.updatedAt))
        .map(({ issue, comment }) => wireReviewComment(comment, issue, call.url)),
    ),
  ),
  [`GET ${pullsPath}/{pull_number}`]: get("pull_requests", (call) => ({
    body: wirePull(pullOf(call), call.url),
  })),
  [`GET ${pullsPath}/{pull_number}/files`]: get("pull_requests", (call) => {
    const { repo, pull } = pullOf(call)
    const base = git(repo.directory, ["merge-base", pull!.baseSha, pull!.headSha])
    const lines = git(repo.directory, ["diff", "--numstat", base, pull!.headSha]).split("\n")
    return paged(
      call,
      lines
        .filter((line) => line !== "")
        .map((line) => {
          const [added, removed, filename] = line.split("\t")
          return {
            filename,
            additions: Number(added) || 0,
            deletions: Number(removed) || 0,
            status: "modified",
          }
        }),
    )
  }),
  [`GET ${pullsPath}/{pull_number}/reviews`]: get("pull_requests", (call) => {
    const issue = pullOf(call)
    return paged(
      call,
      issue.pull!.reviews.map((r) => wireReview(r, issue, call.url)),
    )
  }),
  [`POST ${pullsPath}/{pull_number}/reviews`]: write(
    "pull_requests",
    (call) => {
      const issue = pullOf(call)
      const review = call.acts.review(issue, call.actor, {
        state: reviewStates[text(call.body["event"])] ?? "COMMENTED",
        body: text(call.body["body"]),
        comments: (call.body["comments"] ?? []) as never,
      })
      return { body: wireReview(review, issue, call.url) }
    },
    true,
  ),
  [`GET ${pullsPath}/{pull_number}/comments`]: get("pull_requests", (call) => {
    const issue = pullOf(call)
    return paged(
      call,
      issue
        .pull!.threads.filter((c) => since(call, c.updatedAt))
        .map((c) => wireReviewComment(c, issue, call.url)),
    )
  }),
  [`POST ${pullsPath}/{pull_number}/comments/{comment_id}/replies`]: write(
    "pull_requests",
    (call) => {
      const { issue, comment } = threadOf(call)
      if (comment.replyTo !== null) throw new ApiError(422, "Replies to replies are not supported")
      const reply = call.acts.reviewComment(
        issue,
        call.actor,
        comment.path,
        comment.line,
        text(call.body["body"]),
        comment.id,
      )
      return { status: 201, body: wireReviewComment(reply, issue, call.url) }
    },
    true,
  ),
  [`GET ${pullsPath}/comments/{comment_id}`]: get("pull_requests", (call) => {
    const { issue, comment } = threadOf(call)
    return { body: shown(call, wireReviewComment(comment, issue, call.url)) }
  }),
  [`PATCH ${pullsPath}/comments/{comment_id}`]: write("pull_requests", (call) => {
    const { issue, comment } = threadOf(call)
    mine(call, comment)
    call.acts.editReviewComment(issue, comment, call.actor, text(call.body["body"]))
    return { body: wireReviewComment(comment, issue, call.url) }
  }),
  [`DELETE ${pullsPath}/comments/{comment_id}`]: write("pull_requests", (call) => {
    const { issue, comment } = threadOf(call)
    mine(call, comment)
    issue.pull!.threads.splice(issue.pull!.threads.indexOf(comment), 1)
    call.world.changed()
    return { status: 204, body: null }
  }),
  [`POST ${pullsPath}/comments/{comment_id}/reactions`]: write("pull_requests", (call) => ({
    status: 201,
    body: call.acts.react(threadOf(call).comment, call.actor, text(call.body["content"])),
  })),
  "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": get("checks", (call) => {
    const found = [...call.repo.issues.values()].flatMap((issue) =>
      (issue.pull?.checks ?? [])
        .filter((c) => c.sha === call.params["ref"])
        .map((c) => wireCheck(c, issue, call.url)),
    )
    return { body: { total_count: found.length, check_runs: found } }
  }),
  "GET /search/issues": get("issues", (call) => {
    const words = (call.query.get("q") ?? "").split(/\s+/)
    const repo = words.find((w) => w.startsWith("repo:"))?.slice(5)
    const plain = words.filter((w) => w !== "" && !w.includes(":")).map((w) => w.toLowerCase())
    const found = [...call.token!.repos]
      .filter((r) => repo === undefined || nameOf(r) === repo)
      .flatMap((r) => [...r.issues.values()])
      .filter((i) => plain.every((w) => `${i.title} ${i.body}`.toLowerCase().includes(w)))
    return { body: { total_count: found.length, items: found.map((i) => wireIssue(i, call.url)) } }
  }),
}
