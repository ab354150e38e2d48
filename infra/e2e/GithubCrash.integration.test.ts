/**
 * P6, P8 on GitHub: the runtime is killed the moment GitHub shows what it wrote, or GitHub accepts a write and the answer is
 * lost. What counts is what stands on GitHub afterwards: each comment, review, issue, branch and pull request once.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { say } from "../emulators/anthropic/index.ts"
import type { Issue } from "../emulators/github/index.ts"
import { plan, type Step } from "./GithubPlan.ts"
import { githubStage, type GithubStage } from "./GithubStage.ts"
import { after, before, type KillPoint } from "./KillPoint.ts"

let s: GithubStage
beforeAll(async () => {
  s = await githubStage({ agents: ["ada"] })
  await s.runtime.start()
})
afterAll(() => s.dispose())
beforeEach(() => s.ai.respond(() => say("Hello.")))

const ask = (body = "@ada please") => s.gh.openIssue(s.repo, s.owner, "Work", body)
/** kill -9 the moment this is so on GitHub. */
const killWhen = (seen: () => boolean) => {
  const stop = s.gh.onChange(() => {
    if (!seen()) return
    stop()
    s.runtime.signal("SIGKILL")
  })
}
const recovers = async (issue: Issue) => {
  expect((await s.runtime.end()).signal).toBe("SIGKILL")
  await s.runtime.start()
  await s.answered(issue, 1, 25_000)
}
const once = async (issue: Issue, answer: string) => {
  const said = s.spoken(issue)
  expect(said.map((c) => c.body.split("\n")[0])).toEqual([answer])
  expect(s.ai.refusals()).toEqual([])
}

describe("kill -9 around an answer", () => {
  const points: ReadonlyArray<readonly [string, KillPoint]> = [
    ["before the delivery is stored", before("accept")],
    ["when the delivery is stored, before GitHub is told", after("accept")],
    ["when the words are stored, before they are published", after("accept", 2)],
    ["when the answer is stored, before it is said", after("finish")],
    ["when the answer is said, before its number is stored", before("said")],
    ["when the answer is said, before that is noted", before("delivered")],
  ]
  it.each(points)("%s: it is said once", async (_, point) => {
    await s.runtime.arm(point)
    const issue = ask()
    await recovers(issue)
    await once(issue, "Hello.")
  })

  it("when GitHub shows it", async () => {
    const issue = ask()
    killWhen(() => s.spoken(issue).length > 0)
    await recovers(issue)
    await once(issue, "Hello.")
  })
})

/** A branch with a change, so that there is something to push. */
const code: ReadonlyArray<Step> = [
  ["github_clone", {}],
  [
    "shell",
    {
      command:
        "echo $RANDOM > ~/repos/acme-web-$(ls ~/repos | sed s/acme-web-// | sort -n | tail -1)/new.txt",
    },
  ],
  ["github_push", { message: "New file" }],
  ["github_open_pull", { title: "New file", body: "Look." }],
]
const pullOf = (issue: Issue) =>
  s.gh.pulls(s.repo).filter((p) => p.pull!.head === `troupe/ada/${issue.number}`)
const opened = () => [...s.repo.issues.values()].filter((i) => i.app === s.app && i.pull === null)

interface Write {
  readonly steps: (target: Issue) => ReadonlyArray<Step>
  /** How often it stands there. */
  readonly count: (issue: Issue, target: Issue) => number
}
const writes: Readonly<Record<string, Write>> = {
  "a comment elsewhere": {
    steps: (t) => [["github_comment", { number: t.number, body: "See here." }]],
    count: (_, t) => t.comments.filter((c) => c.app === s.app).length,
  },
  "a review": {
    steps: (t) => [
      [
        "github_review",
        {
          number: t.number,
          verdict: "request_changes",
          body: "Not yet.",
          comments: [{ path: "topic.txt", line: 1, body: "Why?" }],
        },
      ],
    ],
    count: (_, t) => t.pull!.reviews.filter((r) => r.app === s.app).length,
  },
  "an issue": {
    steps: () => [["github_open_issue", { title: "Found", body: "A second thing." }]],
    count: () => opened().length,
  },
  "a branch": {
    steps: () => code.slice(0, 3),
    count: (issue) =>
      [...s.gh.branches(s.repo).keys()].filter((b) => b === `troupe/ada/${issue.number}`).length,
  },
  "a pull request": { steps: () => code, count: (issue) => pullOf(issue).length },
}

let topics = 0
const target = () => {
  s.gh.push(s.repo, s.owner, `topic-${++topics}`, { "topic.txt": `${topics}\n` })
  return s.gh.openPull(s.repo, s.owner, { title: "Topic", head: `topic-${topics}` })
}

describe("each write happens once", () => {
  it.each(Object.entries(writes))("%s, killed when GitHub shows it", async (_, { steps, count }) => {
    const t = target()
    const results: Array<string> = []
    const known = opened().length
    s.ai.respond(plan(steps(t), "Done.", results))
    const issue = ask()
    const seen = () => count(issue, t) - (count === writes["an issue"]!.count ? known : 0)
    killWhen(() => seen() > 0)
    await recovers(issue)
    expect(results.at(-1)).toMatch(/^(Commented|Reviewed|Opened|Pushed|It is open already)/)
    expect(seen()).toBe(1)
    await once(issue, "Done.")
  })

  it("all of them, when GitHub accepts each and its answer is lost", async () => {
    const t = target()
    const known = opened().length
    const drop = (route: string) => s.gh.fault(route, { kind: "drop" })
    drop("POST /repos/{owner}/{repo}/issues/{issue_number}/comments")
    drop("POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews")
    drop("POST /repos/{owner}/{repo}/issues")
    drop("git receive-pack")
    drop("POST /repos/{owner}/{repo}/pulls")
    const all = ["a comment elsewhere", "a review", "an issue", "a pull request"]
    const results: Array<string> = []
    s.ai.respond(
      plan(
        all.flatMap((name) => writes[name]!.steps(t)),
        "Done.",
        results,
      ),
    )
    const issue = ask()
    await s.answered(issue, 1, 40_000)
    await once(issue, "Done.")
    expect(writes["a comment elsewhere"]!.count(issue, t)).toBe(1)
    expect(writes["a review"]!.count(issue, t)).toBe(1)
    expect(opened().length - known).toBe(1)
    expect(pullOf(issue)).toHaveLength(1)
    expect(t.pull!.threads.filter((c) => c.app === s.app)).toHaveLength(1)
  })

  it("and the answer itself, when its answer is lost", async () => {
    s.gh.fault("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", { kind: "drop" })
    const issue = ask()
    await s.answered(issue)
    await s.runtime.quiet()
    await once(issue, "Hello.")
  })
})

describe("GitHub in trouble", () => {
  it("limits on new comments are delays, and are told", async () => {
    s.gh.limits({ perMinute: 0, retryAfter: 2 })
    const issue = ask()
    await s.until("a refusal", () => s.gh.refusals() > 0)
    s.gh.limits({})
    const [answer] = await s.answered(issue)
    expect(answer!.body).toMatch(/^Hello\.[\s\S]*waited \d\.\d s for GitHub's limits/)
    await once(issue, "Hello.")
  })

  it("tokens that end in the middle of work are renewed", async () => {
    const results: Array<string> = []
    const steps: ReadonlyArray<Step> = [...code.slice(0, 2), ["github_issue", {}], ...code.slice(2)]
    const follow = plan(steps, "Done.", results)
    s.ai.respond((request) => {
      s.gh.expireTokens()
      return follow(request)
    })
    const issue = ask()
    await s.answered(issue, 1, 30_000)
    expect(results.at(-1)).toMatch(/^Opened/)
    expect(pullOf(issue)).toHaveLength(1)
  })

  it("a repository that is deleted in the middle of work ends the turn, and others go on", async () => {
    const other = s.gh.repo(s.acme, "doomed")
    s.gh.allow(other, s.owner, "admin")
    s.gh.install(s.app, [other])
    let told = ""
    s.ai.respond((request) => {
      const text = JSON.stringify(request.messages)
      if (!text.includes("doomed")) return say("Hello.")
      s.gh.remove(other)
      told = text
      return say("Too late.")
    })
    s.gh.openIssue(other, s.owner, "In doomed", "@ada look, doomed")
    await s.until("the model to be asked", () => told !== "" || s.ai.requests.length === 0)
    const issue = ask()
    await s.answered(issue)
    await once(issue, "Hello.")
  })
})
