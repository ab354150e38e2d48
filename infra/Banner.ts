/** What a person reads at start: what runs where, the way in, how to talk to an agent, how to listen. On stdout. */
import * as Effect from "effect/Effect"
import { stdout } from "node:process"
import { WebServer } from "../admin/index.ts"
import type { Servers } from "./Servers.ts"

const colour = (code: number, text: string) => (stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = (text: string) => colour(1, text)
const dim = (text: string) => colour(2, text)
const red = (text: string) => colour(31, text)
const green = (text: string) => colour(32, text)

export const banner = Effect.fnUntraced(function* (
  at: Servers,
  config: { readonly agents: ReadonlyArray<{ readonly name: string; readonly title: string }> },
) {
  const { newLink } = yield* WebServer
  const link = yield* newLink
  const agents = config.agents.map((a) => `@${a.name} ${dim(a.title)}`).join("   ")
  const first = config.agents[0]?.name ?? "ada"
  const rows = at.parts.map((p) => `  ${green("●")} ${p.name.padEnd(10)} ${p.where}`)
  const warnings = at.parts.flatMap((p) => (p.warning === undefined ? [] : [`  ${red(p.warning)}`]))
  const lines = [
    "",
    `  ${bold("Troupe")} is ready.`,
    "",
    ...rows,
    `  ${green("●")} ${"Agents".padEnd(10)} ${agents}`,
    ...(warnings.length === 0 ? [] : ["", ...warnings]),
    "",
    `  ${bold("Open")}    ${link}  ${dim("(works once, for an hour)")}`,
    `  ${bold("Say")}     @${first} run: uname -a`,
    `  ${bold("Listen")}  ${at.listen}`,
    "",
  ]
  yield* Effect.sync(() => stdout.write(`${lines.join("\n")}\n`))
})
