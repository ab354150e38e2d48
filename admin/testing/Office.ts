/**
 * A whole company with its page: real Postgres and NATS, agents at work on the emulated model, the real server on a free port.
 * `api` calls it as a program would, `browse` opens it in a real Chromium as a person who has come in.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { type BrowserContextOptions, chromium, type Page } from "playwright-core"
import type { Sandbox } from "../../integrations/sprites/index.ts"
import { world, type WorldOptions } from "../../infra/testing/World.ts"
import { Company, Hooks } from "../../runtime/index.ts"
import { type Answer, type AnyAsked, type Asked, lineOf, type Route } from "../api/Call.ts"
import { Accounts } from "../server/Accounts.ts"
import { AgentsDesk } from "../server/AgentsDesk.ts"
import { Audit } from "../server/Audit.ts"
import { Insight } from "../server/insight/Insight.ts"
import * as LiveRoomsRuntime from "../server/LiveRoomsRuntime.ts"
import { People } from "../server/People.ts"
import { ServerOptions } from "../server/ServerOptions.ts"
import { cliToken, settings } from "../server/ServerTest.ts"
import { WebServer } from "../server/WebServer.ts"
import { watch } from "./Browser.ts"
import { computers } from "./Computers.ts"

export type Office = Awaited<ReturnType<typeof office>>

/** An answer that is not a success. */
export interface Refused {
  readonly status: number
  readonly error: string
}

export const office = async (options: WorldOptions = {}) => {
  const company = await world(options)
  const scope = await Effect.runPromise(Scope.make())
  const server = WebServer.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Accounts.layer,
        AgentsDesk.layer,
        Audit.layer,
        Insight.layer.pipe(Layer.provideMerge(computers)),
        People.layer,
        Hooks.layer,
        LiveRoomsRuntime.layer({
          door: "room",
          status: Effect.succeed({ rehearsal: false, parts: [], integrations: [] }),
        }),
        ServerOptions.layer({
          cliToken: Redacted.make(cliToken),
          notReady: Effect.succeed([]),
          metrics: Effect.succeed(""),
          apply: Effect.succeed({ agents: [] }),
        }).pipe(Layer.provide(settings())),
      ),
    ),
  )
  const services = await company.run(Layer.buildWithScope(server, scope))
  const run = <A, E>(effect: Effect.Effect<A, E, WebServer | Accounts | Audit | Sandbox>) =>
    company.run(Effect.provideContext(effect, services))
  const { url, newLink } = await run(WebServer)
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  })

  const request = async (route: Route, asked: AnyAsked, headers: Readonly<Record<string, string>>) => {
    const { method, url: path } = lineOf(route, asked)
    return fetch(url + path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(method === "GET" ? {} : { body: JSON.stringify(asked.body ?? {}) }),
    })
  }
  /** As a program with this token; the command line's when none is named. */
  const api = async <R extends Route>(
    route: R,
    asked: Asked<R> | Record<never, never> = {},
    token = cliToken,
  ): Promise<Answer<R> & Partial<Refused>> => {
    const answer = await request(route, asked as AnyAsked, { authorization: `Bearer ${token}` })
    const data = (await answer.json()) as object
    return (answer.ok ? data : { ...data, status: answer.status }) as Answer<R> & Partial<Refused>
  }
  /** A browser that came in by `link`, or by a fresh one of the owner, and stands at `path`. */
  const browse = async (path = "/", how: BrowserContextOptions = {}, link?: string): Promise<Page> => {
    const context = await browser.newContext(how)
    const page = await context.newPage()
    watch(page)
    page.setDefaultTimeout(10_000)
    await page.goto(link ?? (await run(newLink)))
    await page.waitForURL((at) => at.pathname.startsWith("/rooms"))
    if (path !== "/") await page.goto(url + path)
    return page
  }
  return {
    ...company,
    url,
    browser,
    api,
    browse,
    run,
    /** As a start or `troupe apply` with the same file. */
    reapply: () => company.run(Company.apply(company.ws, company.config)),
    dispose: async () => {
      await browser.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await company.dispose()
    },
  }
}
