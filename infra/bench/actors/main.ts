/**
 * Measures the actor layer against nact as it is, in the same process and the same minute, and against its goals.
 * `node infra/bench/actors/main.ts`, under 90 seconds; the exit code is 1 when a goal is missed.
 */
import { lifecycle } from "./lifecycle.ts"
import { responses } from "./responses.ts"
import type { Line } from "./Report.ts"
import { throughput } from "./throughput.ts"

let below = 0
for (const measure of [throughput, responses, lifecycle]) {
  for await (const line of measure()) {
    print(line)
    if (!line.ok) below++
  }
}
console.log(below === 0 ? "All goals reached." : `${below} goals missed.`)
process.exitCode = below === 0 ? 0 : 1

function print(line: Line): void {
  console.log(`${line.goal.padEnd(64)} ${line.measured.padStart(12)}   ${line.ok ? "ok" : "below"}`)
}
