/** Part of `npm run check`: prints each breach of the import rules as `file:line: what is wrong: what to do`; exits 1 if any. */
import { join } from "node:path"
import process from "node:process"
import { breachesIn } from "./Tree.ts"

const breaches = breachesIn(join(import.meta.dirname, "../.."))
for (const { path, line, message } of breaches) process.stdout.write(`${path}:${line}: ${message}\n`)
if (breaches.length > 0) process.exitCode = 1
