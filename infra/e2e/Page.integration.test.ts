/** The first five minutes of a new owner, with everything real but the model: link, room, a streamed answer with a tool; then a kill. */
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, expect, it } from "vitest"
import { say, useTool } from "../emulators/anthropic/index.ts"
import { freePort } from "../testing/TestServer.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
let browser: Browser
let page: Page
beforeAll(async () => {
  // The page comes back to the same address.
  s = await stage({ env: { PORT: String(await freePort()) } })
  await s.runtime.start()
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  })
})
afterAll(async () => {
  await browser.close()
  await s.dispose()
})

const words = (text: string) => page.locator(".prose, .bubble", { hasText: text }).last().waitFor()
const speak = async (text: string) => {
  await page.getByLabel("Say something in this room").fill(text)
  await page.keyboard.press("Enter")
}
/** Words of forty numbers, and how often each stands on the page. */
const numbers = Array.from({ length: 40 }, (_, i) => `number-${i}.`)
const times = async () => {
  const shown = await page.locator(".turn").last().innerText()
  return numbers.map((n) => shown.split(n).length - 1)
}

it("the printed link leads to a room, and a question to a streamed answer with a receipt", async () => {
  const link = /http:\/\/127\.0\.0\.1:\d+\/enter\?token=\S+/.exec(s.runtime.log)?.[0]
  page = await browser.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(link!)
  await page.getByRole("button", { name: "Open the first room" }).click()
  await page.getByLabel("What is it about?").fill("First five minutes")
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { name: "First five minutes" }).waitFor()
  let asked = 0
  s.ai.respond(() =>
    asked++ === 0 ? useTool("shell", { command: "echo from-the-shell" }) : say("It says hello."),
  )
  await speak("@ada what does your shell say?")
  await words("It says hello.")
  await page.locator(".receipt-head", { hasText: "exit 0" }).click()
  await page.locator(".terminal", { hasText: "from-the-shell" }).waitFor()
  await page.locator(".bill", { hasText: "1 tool" }).waitFor()
})

it("a runtime that is killed in the middle of an answer comes back, and each word stands once", async () => {
  s.ai.respond(() => say(numbers.join(" "), { deltaChars: 12, eventDelayMs: 40 }))
  await speak("@ada count")
  await page.locator(".live", { hasText: numbers[5]! }).waitFor()
  await s.runtime.kill("SIGKILL")
  await page.locator("#line", { hasText: "Reconnecting" }).waitFor()
  s.ai.respond(() => say(numbers.join(" ")))
  await s.runtime.start()
  await words(numbers.at(-1)!)
  await page.locator(".turn").last().locator(".bill").waitFor()
  expect(await times()).toEqual(numbers.map(() => 1))
  // Still the same session: it is in Postgres.
  await page.reload()
  await words(numbers.at(-1)!)
  expect(await times()).toEqual(numbers.map(() => 1))
})

it("Stop ends a turn in the middle of its words", async () => {
  s.ai.respond(() => say(numbers.join(" "), { deltaChars: 6, eventDelayMs: 200 }))
  await speak("@ada count slowly")
  await page.locator(".live", { hasText: numbers[1]! }).waitFor()
  await page.getByRole("button", { name: "Stop" }).click()
  await page.locator(".trouble", { hasText: "ada was stopped" }).waitFor()
  expect(await page.locator(".at-work").count()).toBe(0)
})
