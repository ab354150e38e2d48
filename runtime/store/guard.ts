/**
 * The only way to get the `postgres` client. Version 3.4.9 ends the whole process when the server dies between a write
 * and its flush: `nextWrite` runs from setImmediate and calls `write` on a socket that is null by then (upstream issues
 * 1066, 1154, 1208). No caller can catch that, so the line is corrected while the module is loaded: no install script, no
 * copy of the package. The corrected instance is the CommonJS build, which nobody else loads: it does not matter
 * whether some library has imported `postgres` before. A version that the correction does not fit is refused here.
 */
import { createRequire, registerHooks } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import type Postgres from "postgres"

/** Where the process would die, and what stands there instead. */
export const FAULT = "function nextWrite(fn) {\n    const x = socket.write(chunk, fn)\n"
const CORRECTED = `function nextWrite(fn) {
    if (socket === null) {
      nextWriteTimer !== null && clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      return false
    }
    const x = socket.write(chunk, fn)
`

const MARK = "correctedByTroupe"

/** The source of the package's connection module without the fault. Throws when the fault is not there exactly once. */
export const correct = (source: string): string => {
  const parts = source.split(FAULT)
  if (parts.length !== 2) {
    throw new Error(
      "The installed postgres package is not the one that runtime/store/guard.ts corrects. Install postgres 3.4.9.",
    )
  }
  return `${parts.join(CORRECTED)}\nmodule.exports.${MARK} = true\n`
}

const load = (): typeof Postgres => {
  const require = createRequire(import.meta.url)
  const main = require.resolve("postgres")
  const connection = join(dirname(main), "connection.js")
  const hooks = registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      return url === pathToFileURL(connection).href
        ? { ...loaded, source: correct(String(loaded.source)) }
        : loaded
    },
  })
  const client = require(main) as typeof Postgres
  hooks.deregister()
  if (!(MARK in (require(connection) as object))) {
    throw new Error(
      "The postgres package was loaded without its correction. Import it from runtime/store/guard.ts only.",
    )
  }
  return client
}

export const postgres = load()
