/**
 * `npm run bench`: Troupe as it is installed, against a bare bot on the same emulators in the same minutes, and the actor layer
 * against nact. One line a goal: measured, ratio, goal, ok or below. Loopback only, bounded in time.
 *
 * `npm run bench -- messages burst` runs some sections only; `--quick` measures fewer rounds.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { crash } from "./crash.ts"
import { show, type Figure } from "./Figure.ts"
import { growth } from "./growth.ts"
import { burst, oneByOne, toolRound, warmUp } from "./messages.ts"
import { stage, type Contender } from "./Stage.ts"
import { rooms } from "./rooms.ts"
import { startup } from "./startup.ts"
import { streaming } from "./streaming.ts"

const sections = [
  "startup",
  "messages",
  "burst",
  "tools",
  "streaming",
  "crash",
  "growth",
  "rooms",
  "actors",
] as const
type Section = (typeof sections)[number]

const given = process.argv.slice(2)
const quick = given.includes("--quick")
const named = given.filter((word): word is Section => (sections as ReadonlyArray<string>).includes(word))
if (named.length + Number(quick) < given.length) {
  console.error(`Say which sections to run: ${sections.join(", ")}. And --quick for fewer rounds.`)
  process.exit(2)
}
const wanted = (section: Section) => named.length === 0 || named.includes(section)

const longest = 12 * 60_000
setTimeout(() => {
  console.error("The benchmark took too long and is given up.")
  process.exit(1)
}, longest).unref()

let below = 0
const report = async (title: string, figures: AsyncIterable<Figure>) => {
  console.log(`\n${title}`)
  for await (const figure of figures) {
    console.log(show(figure))
    if (figure.ok === false) below++
  }
}

const on = await stage()
process.once("exit", on.end)
process.once("SIGINT", () => process.exit(1))
process.once("SIGTERM", () => process.exit(1))

console.log(show({ what: "", bare: "bare bot", troupe: "Troupe", goal: "goal" }).trimEnd())
if (wanted("startup")) await report("Start and rest", startup(on, quick ? 1 : 3))
if (["messages", "burst", "tools", "streaming"].some((s) => wanted(s as Section))) {
  const bare = await on.bare()
  const troupe = on.install()
  await troupe.start()
  const sides = {
    bare: { bot: "bare", pid: () => bare.pid },
    troupe: { bot: "troupe", pid: () => troupe.pid },
  } as const satisfies Record<string, Contender>
  await warmUp(on, sides)
  const rounds = quick ? 2 : 5
  if (wanted("messages")) await report("One message at a time", oneByOne(on, sides, rounds))
  if (wanted("burst")) await report("A burst", burst(on, sides, rounds))
  if (wanted("tools"))
    await report("A tool round", toolRound(on, sides, quick ? 1 : 3, { bare: bare.call.commands, troupe }))
  if (wanted("streaming")) await report("A long answer", streaming(on))
  bare.stop()
  await troupe.stop()
  troupe.remove()
}
if (wanted("crash")) await report("A crash", crash(on, quick ? 1 : 3))
if (wanted("growth")) await report("Growth", growth(on))
if (wanted("rooms")) await report("Several agents in a room", rooms(on, quick ? 15 : 40))
on.end()

if (wanted("actors")) {
  console.log("\nActors")
  const actors = spawn(process.execPath, [join(import.meta.dirname, "actors/main.ts")], { stdio: "inherit" })
  const code = await new Promise<number>((resolve) => actors.once("exit", (c) => resolve(c ?? 1)))
  if (code !== 0) below++
}
console.log(below === 0 ? "\nAll goals reached." : `\n${below} goals missed.`)
process.exitCode = below === 0 ? 0 : 1
