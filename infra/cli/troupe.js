#!/usr/bin/env node
/**
 * `npx troupe`. Runs on any Node from 20 on: an older one than Troupe needs hands over to the one of the package `node`, which
 * `npm ci` brings. Plain JavaScript, because an older Node cannot read the rest.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const self = fileURLToPath(import.meta.url)
const node = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url))

if (Number(process.versions.node.split(".")[0]) >= 24) {
  // Halves the time to start; Node 20 has no such name to import.
  const { enableCompileCache } = await import("node:module")
  enableCompileCache()
  await import("./main.ts")
} else if (existsSync(node)) {
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: "inherit" })
  // Ctrl-C reaches both; the child decides when it ends.
  process.on("SIGINT", () => {})
  for (const name of ["SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name))
  child.once("close", (code, signal) => {
    process.removeAllListeners(signal ?? "exit")
    if (signal === null) process.exitCode = code ?? 1
    else process.kill(process.pid, signal)
  })
} else {
  process.stderr.write(
    `Troupe needs Node 24, and this is ${process.version}: run \`npm ci\`, which brings it.\n`,
  )
  process.exitCode = 1
}
