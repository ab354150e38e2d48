/** What people see on GitHub, with the whole runtime as a process. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { say } from "../emulators/anthropic/index.ts"
import { githubStage, type GithubStage } from "./GithubStage.ts"

let s: GithubStage
beforeAll(async () => {
  s = await githubStage({ agents: ["ada", "bo"] })
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => s.ai.respond(() => say("Hello.")))

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
})
