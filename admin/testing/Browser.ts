/** A real Chromium for tests, and a page in it that has come in by a fresh link. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import axe from "axe-core"
import { WebServer } from "../server/WebServer.ts"

export class Chromium extends Context.Service<Chromium, Browser>()("troupe/admin/test/Chromium") {
  static readonly layer = Layer.effect(
    Chromium,
    Effect.acquireRelease(
      Effect.promise(() =>
        chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] }),
      ),
      (browser) => Effect.promise(() => browser.close()),
    ),
  )
}

/** Opens `path` after coming in by a fresh link. Whatever the browser reports as broken is kept in `trouble`. */
export const visit = Effect.fnUntraced(function* (options: BrowserContextOptions = {}, path = "/") {
  const browser = yield* Chromium
  const { newLink, url } = yield* WebServer
  const link = yield* newLink
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext(options)),
    (context) => Effect.promise(() => context.close()),
  )
  return yield* Effect.promise(async () => {
    const page = await context.newPage()
    watch(page)
    page.setDefaultTimeout(10_000)
    await page.goto(link)
    await page.waitForURL((at) => at.pathname === "/rooms" || at.pathname.startsWith("/rooms/"))
    if (path !== "/") await page.goto(url + path)
    return page
  })
})

/** Errors of a page, and what its content policy refused. */
const reports = new WeakMap<Page, Array<string>>()
export const watch = (page: Page) => {
  const said: Array<string> = []
  reports.set(page, said)
  page.on("pageerror", (error) => said.push(String(error)))
  page.on("console", (message) => {
    if (message.type() === "error") said.push(message.text())
  })
}

/** What the browser complained of: errors, and what the content policy refused. */
export const trouble = (page: Page): ReadonlyArray<string> => reports.get(page) ?? []

/** What keeps people out, as axe sees it: serious findings and worse, with the elements. */
export const serious = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const found = globalThis as unknown as { readonly axe: Pick<typeof axe, "run"> }
    const { violations } = await found.axe.run(document, { resultTypes: ["violations"] })
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`)
  })
}
