/**
 * The scene of the second door: a label on an issue asks for work; the agent clones, finds the failing test, mends it, runs the
 * tests in its sandbox, pushes and opens a pull request. The model follows a plan; everything else is real.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { blocksOf, say, useTool, type Answer, type MessagesRequest } from "../emulators/anthropic/index.ts"
import { testDirectory } from "../testing/index.ts"
import { githubStage, type GithubStage } from "./GithubStage.ts"

const files = {
  "add.mjs": "export const add = (a, b) => a - b\n",
  "add.test.mjs": `import assert from "node:assert"\nimport test from "node:test"\nimport { add } from "./add.mjs"\ntest("adds", () => assert.equal(add(2, 3), 5))\n`,
  ".github/workflows/ci.yml": "on: push\n",
}

let s: GithubStage
beforeAll(async () => {
  s = await githubStage({ files })
  await s.runtime.start()
})
afterAll(() => s.dispose())

/** The text of the last tool result. */
const lastResult = (request: MessagesRequest): string =>
  blocksOf(request.messages.at(-1)?.content)
    .filter((b) => b.type === "tool_result")
    .map((b) => (typeof b["content"] === "string" ? b["content"] : JSON.stringify(b["content"])))
    .join("\n")

/** One step after the other, each told what the one before brought. */
const plan = (steps: ReadonlyArray<(result: string) => Answer>) => {
  let at = 0
  return (request: MessagesRequest) => steps[Math.min(at++, steps.length - 1)]!(lastResult(request))
}

it("a labelled issue becomes a pull request whose tests pass, in under a minute", async () => {
  const results: Array<string> = []
  const directory = "~/repos/acme-web-1"
  const step = (answer: Answer) => (result: string) => {
    results.push(result)
    return answer
  }
  s.ai.respond(
    plan([
      step(useTool("github_issue", {})),
      step(useTool("github_clone", {})),
      step(useTool("shell", { command: `cd ${directory} && node --test` })),
      step(
        useTool("shell", {
          command: `sed -i 's/a - b/a + b/' ${directory}/add.mjs && cd ${directory} && node --test`,
        }),
      ),
      step(useTool("github_push", { message: "Add instead of subtracting" })),
      step(useTool("github_open_pull", { title: "Add instead of subtracting", body: "The sign was wrong." })),
      step(say("Mended in the pull request; the test passes.")),
    ]),
  )
  const from = performance.now()
  const issue = s.gh.openIssue(s.repo, s.owner, "add(2, 3) is -1", "The test fails.")
  s.gh.label(issue, s.owner, "agent")
  const [answer] = await s.answered(issue, 1, 60_000)
  expect(performance.now() - from).toBeLessThan(60_000)

  expect(results[1]).toContain("The test fails.")
  expect(results[3]).toMatch(/fail 1[\s\S]*exit code 1/)
  expect(results[4]).toMatch(/pass 1[\s\S]*exit code 0/)
  const [pull] = s.gh.pulls(s.repo)
  expect(pull).toMatchObject({ title: "Add instead of subtracting", state: "open" })
  expect(pull!.user.login).toBe("troupe-app[bot]")
  expect(pull!.body).toContain("For #1.")
  expect(pull!.pull).toMatchObject({ head: "troupe/ada/1", base: "main" })
  expect(answer!.body).toMatch(/Mended in the pull request[\s\S]*<summary>6 steps/)
  expect(answer!.body).toMatch(/node --test`: exit 1/)

  const copy = join(testDirectory(), "copy")
  execFileSync("git", ["clone", "-q", "-b", "troupe/ada/1", s.repo.directory, copy])
  execFileSync("node", ["--test"], { cwd: copy })
  expect(s.gh.git(s.repo, "log", "-1", "--format=%an <%ae>", "troupe/ada/1")).toMatch(
    /^troupe-app\[bot\] <\d+\+troupe-app\[bot\]@users\.noreply\.github\.com>$/,
  )
  expect(s.ai.refusals()).toEqual([])
})
