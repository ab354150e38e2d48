/** What people see on GitHub, with the whole runtime as a process. */
import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, say, useTool, type MessagesRequest } from "../emulators/anthropic/index.ts"
import type { Account, Issue } from "../emulators/github/index.ts"
import { plan } from "./GithubPlan.ts"
import { githubStage, type GithubStage } from "./GithubStage.ts"

let s: GithubStage
beforeAll(async () => {
  s = await githubStage({ agents: ["ada", "bo"], telegram: true, files: { "main.js": "one\ntwo\nthree\n" } })
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => s.ai.respond(() => say("Hello.")))

const firstLines = (issue: Issue) => s.spoken(issue).map((c) => c.body.split("\n\n").slice(0, 2).join(": "))
/** The agent does these things for this person, and they end so. */
const does = async (by: Account, steps: Parameters<typeof plan>[0], on?: Issue) => {
  const results: Array<string> = []
  s.ai.respond(plan(steps, "Done.", results))
  const issue = on ?? s.gh.openIssue(s.repo, by, "Work", "@ada please")
  if (on !== undefined) s.gh.comment(on, by, "@ada please")
  const before = s.spoken(issue).length
  await s.answered(issue, before + 1, 30_000)
  return { issue, results }
}

describe("a person on GitHub", () => {
  it("mentions an agent in an issue, and reads one comment", async () => {
    s.ai.respond(() => say("It is the **cache**."))
    const issue = s.gh.openIssue(s.repo, s.owner, "Slow start", "@ada why is it slow?")
    const [answer] = await s.answered(issue)
    expect(answer!.body).toMatch(/^\*\*ada\*\*\n\nIt is the \*\*cache\*\*\.\n\n<!-- troupe \w+\/0 @ada -->$/)
    expect(answer!.edits).toEqual([])
    await s.until("the receipt", () => issue.reactions.some((r) => r.content === "eyes"))
    expect(s.spoken(issue)).toHaveLength(1)
  })

  it("mentions two agents, and each answers in a comment of its own", async () => {
    s.ai.respond((request) =>
      say(JSON.stringify(request.system).includes("You are @bo") ? "Bo here." : "Ada here."),
    )
    const issue = s.gh.openIssue(s.repo, s.owner, "Both", "@ada @bo what do you think?")
    await s.answered(issue, 2)
    expect(firstLines(issue).toSorted()).toEqual(["**ada**: Ada here.", "**bo**: Bo here."])
  })

  it("is answered in the thread of a review", async () => {
    s.gh.push(s.repo, s.owner, "topic", { "main.js": "one\nTWO\nthree\n" })
    const pull = s.gh.openPull(s.repo, s.owner, { title: "Shout", head: "topic" })
    s.ai.respond(() => say("To be heard."))
    const first = s.gh.reviewComment(pull, s.owner, "main.js", 2, "@ada why?")
    const mine = () => pull.pull!.threads.filter((c) => c.app === s.app)
    await s.until("an answer in the thread", () => mine().length === 1)
    expect(mine()[0]).toMatchObject({ replyTo: first.id })
    s.ai.respond(() => say("Yes."))
    // No name is needed in a thread that the agent is in.
    s.gh.reviewComment(pull, s.owner, "main.js", 2, "Sure?", first.id)
    await s.until("a second answer in the thread", () => mine().length === 2)
    expect(mine()[1]!.body).toMatch(/Yes\./)
    expect(s.spoken(pull)).toEqual([])
  })

  it("reads a long answer as it was written, to the byte", async () => {
    const lines = Array.from({ length: 700 }, (_, i) => `Line ${i}\tof \`words\` <b>&amp;</b> 🙂.`)
    s.ai.respond(() => say(lines.join("\n")))
    const issue = s.gh.openIssue(s.repo, s.owner, "Long", "@ada all of it")
    const [answer] = await s.answered(issue)
    expect(answer!.body.replace(/^\*\*ada\*\*\n\n/, "").replace(/\n\n<!-- troupe \S+ @ada -->$/, "")).toBe(
      lines.join("\n"),
    )
  })

  it("has the agent read code, changes and history", async () => {
    s.gh.push(s.repo, s.owner, "reading", { "main.js": "one\nzwei\nthree\n" })
    const pull = s.gh.openPull(s.repo, s.owner, { title: "Translate", head: "reading" })
    const { results } = await does(
      s.owner,
      [
        ["github_issue", {}],
        ["github_diff", {}],
        ["github_file", { path: "main.js", blame: true }],
        ["github_file", { path: "main.js", ref: "main" }],
        ["github_file", { path: "" }],
        ["github_search", { query: "ZWEI", in: "code" }],
        ["github_search", { query: "translate", in: "issues" }],
        ["github_file", { path: "main.js", ref: "--output=/tmp/x" }],
      ],
      pull,
    )
    expect(results[0]).toMatch(/pull request, open[\s\S]*reading \(\w+\) into main[\s\S]*main\.js \+1 -1/)
    expect(results[1]).toMatch(/-two\n\+zwei/)
    expect(results[2]).toMatch(/Person.*2\) zwei/)
    expect(results[3]).toBe("one\ntwo\nthree\n")
    expect(results[4]).toBe("main.js\n")
    expect(results[5]).toBe("main.js:2:zwei\n")
    expect(results[6]).toContain("Translate")
    expect(results[7]).toContain("no branch or commit")
  })

  it("has the agent label and react, but not give itself work", async () => {
    const { issue, results } = await does(s.owner, [
      ["github_label", { add: ["bug", "slow"] }],
      ["github_label", { remove: ["slow", "absent"] }],
      ["github_react", { content: "rocket" }],
      ["github_label", { add: ["agent"] }],
    ])
    expect([...issue.labels]).toEqual(["bug"])
    expect(issue.reactions.map((r) => r.content).toSorted()).toEqual(["eyes", "rocket"])
    expect(results[3]).toContain("is set by people")
  })
})

describe("an agent's own pull request", () => {
  it("asks its agent when checks fail, for the person it worked for, until a person has to speak", async () => {
    const { issue } = await does(s.owner, [
      ["github_clone", {}],
      ["shell", { command: "cd ~/repos/acme-web-* && echo x > x.txt" }],
      ["github_push", { message: "Add x" }],
      ["github_open_pull", { title: "Add x", body: "So." }],
    ])
    const pull = s.gh.pulls(s.repo).find((p) => p.pull!.head === `troupe/ada/${issue.number}`)!
    const ci = s.gh.bot("ci")
    const asked: Array<string> = []
    s.ai.respond((request) => {
      asked.push(JSON.stringify(request.messages.at(-1)))
      return say("Looking.")
    })
    for (let commit = 1; commit <= 4; commit++) {
      if (commit > 1) s.gh.push(s.repo, s.app.bot, pull.pull!.head, { "x.txt": `${commit}\n` })
      s.gh.check(pull, ci, "test", "failure")
      s.gh.check(pull, ci, "build", "failure")
      if (commit < 4) await s.answered(pull, commit)
    }
    expect(asked).toHaveLength(3)
    expect(asked[0]).toContain('from=\\"checks\\"')
    // What a person says there is heard after what the checks said.
    s.gh.comment(pull, s.owner, "@ada go on")
    await s.answered(pull, 4)
    expect(asked).toHaveLength(4)
    expect(asked[3]).toContain("a person has to say how to go on")
  })
})

it("two Apps are two doors, each with its own repositories", async () => {
  const issue = s.gh.openIssue(s.apart, s.owner, "There", "@ada hello")
  const other = s.gh.openIssue(s.repo, s.owner, "Here", "@ada hello")
  await s.until("both to answer", () => issue.comments.length > 0 && other.comments.length > 0)
  expect(issue.comments.map((c) => c.app?.slug)).toEqual(["second-app"])
  expect(other.comments.map((c) => c.app?.slug)).toEqual(["troupe-app"])
  const { results } = await does(s.owner, [
    ["github_issue", { repository: "apart/tools", number: 1 }],
    ["github_comment", { repository: "apart/tools", number: 1, body: "From next door." }],
  ])
  expect(results[0]).toContain("apart/tools#1")
  expect(issue.comments.map((c) => c.app?.slug)).toEqual(["second-app", "second-app"])
})

describe("authority (P13)", () => {
  it("names in quotations and code ask nobody, nor do people without access", async () => {
    const stranger = s.gh.person("stranger")
    const calls = s.ai.requests.length
    const issue = s.gh.openIssue(s.repo, s.owner, "Quiet", "> @ada\n\n`@bo`")
    s.gh.comment(issue, stranger, "@ada give me everything")
    s.gh.comment(issue, stranger, "@ada stop")
    s.gh.comment(issue, s.owner, "stop")
    s.gh.comment(issue, s.owner, "@bo now you")
    await s.answered(issue)
    expect(firstLines(issue)).toEqual(["**bo**: Hello."])
    expect(s.ai.requests.length - calls).toBe(1)
  })

  it("a comment stops an agent at work", async () => {
    const before = s.ai.requests.length
    s.ai.respond(() => useTool("shell", { command: "sleep 30" }))
    const issue = s.gh.openIssue(s.repo, s.owner, "Endless", "@ada go")
    await s.until(
      "the agent to be at work",
      () => issue.reactions.length > 0 && s.ai.requests.length > before,
    )
    s.gh.comment(issue, s.owner, "@ada stop")
    const [said] = await s.answered(issue)
    expect(said!.body).toContain("Stopped.")
  })

  it("a reader is answered, and nothing is run or written for them", async () => {
    const { results } = await does(s.reader, [
      ["github_issue", {}],
      ["shell", { command: "echo I ran" }],
      ["list", { path: "~" }],
      ["github_comment", { number: 1, body: "x" }],
      ["github_clone", {}],
    ])
    expect(results[0]).toContain("issue, open")
    for (const result of results.slice(1))
      expect(result).toMatch(/has read access to acme\/web; for this write is needed/)
    expect(JSON.stringify(s.ai.requests.at(-1))).toContain("[rita has read access to acme/web: data")
  })

  it("a permission that ends in the middle of work ends what it allowed", async () => {
    const worker = s.gh.person("will")
    s.gh.allow(s.repo, worker, "write")
    const results: Array<string> = []
    const follow = plan(
      [
        ["github_react", { content: "heart" }],
        ["github_react", { content: "hooray" }],
      ],
      "Done.",
      results,
    )
    s.ai.respond((request) => {
      const answer = follow(request)
      if (results.length === 1) s.gh.allow(s.repo, worker, "read")
      return answer
    })
    const issue = s.gh.openIssue(s.repo, worker, "Work", "@ada please")
    await s.answered(issue)
    expect(results[0]).toBe("Done.")
    expect(results[1]).toContain("has read access")
    expect(issue.reactions.map((r) => r.content)).not.toContain("hooray")
  })

  it("no tool merges, approves or edits workflows", async () => {
    const { request } = s.ai.requests.at(-1)!
    const names = (request.tools ?? []).map((t) => t.name)
    expect(names).toContain("github_review")
    expect(names.filter((n) => /merge|approve|workflow/.test(n ?? ""))).toEqual([])
    expect(String(JSON.stringify(request.tools))).not.toMatch(/"APPROVE"|"approve"/)
  })
})

describe("one person, two doors", () => {
  const lastWords = (request: MessagesRequest) => JSON.stringify(blocksOf(request.messages.at(-1)?.content))

  it("work asked for in Telegram has the authority of the GitHub account that was proved, and no more", async () => {
    const eve = s.tg.user(501, "Eve")
    const chat = s.tg.privateChat(eve)
    const ask = async (text: string, until: RegExp) => {
      s.tg.say(chat, eve, text)
      const seen = await Effect.runPromise(
        s.tg.waitFor(chat, (all) => all.some((m) => m.from.isBot && until.test(m.text)), 20_000),
      )
      return seen.findLast((m) => m.from.isBot && until.test(m.text))!.text
    }
    const opens = (title: string) => {
      const results: Array<string> = []
      const input = { repository: "acme/web", title, body: "From Telegram." }
      const follow = plan([["github_open_issue", input]], "", results)
      let asked = 0
      s.ai.respond((request) => {
        if (asked++ === 0) return { ...follow({ ...request, messages: [] }) }
        return say(`${title}: ${lastWords(request)}`)
      })
    }
    opens("First")
    expect(await ask("Open an issue.", /First:/)).toContain("no known GitHub account")

    let linking = 0
    s.ai.respond((request) =>
      linking++ === 0
        ? plan([["github_link", { login: "rita" }]], "")({ ...request, messages: [] })
        : say(lastWords(request)),
    )
    const told = await ask("I am rita on GitHub.", /link \w{4}-/)
    const [, words = ""] = /(@[\w-]+ link [\w-]+)/.exec(told) ?? []
    // Any of the Apps will do.
    const where = words.startsWith("@second-app") ? s.apart : s.repo
    const issue = s.gh.openIssue(where, s.owner, "For links")
    const stolen = s.gh.comment(issue, s.owner, words)
    await s.until("a refusal", () => stolen.reactions.some((r) => r.content === "confused"))
    const proof = s.gh.comment(issue, s.reader, words)
    await s.until("the link", () => proof.reactions.some((r) => r.content === "+1"))

    opens("Second")
    expect(await ask("Open an issue.", /Second:/)).toContain("has read access")
    s.gh.allow(s.repo, s.reader, "write")
    opens("Third")
    expect(await ask("Open an issue.", /Third:/)).toContain("Opened #")
    s.gh.allow(s.repo, s.reader, "read")
    const opened = [...s.repo.issues.values()].filter((i) => i.app === s.app && i.pull === null)
    expect(opened.map((i) => i.title)).toEqual(["Third"])
  })
})

it("the model was never sent what it refuses, nor a token", () => {
  expect(s.ai.refusals()).toEqual([])
  expect(JSON.stringify(s.ai.requests)).not.toMatch(/ghs_|BEGIN RSA|eyJhbGci/)
  expect(s.runtime.log).not.toMatch(/ghs_|BEGIN RSA|eyJhbGci/)
})
