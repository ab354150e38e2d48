/**
 * The only way to get the `postgres` client. As published, version 3.4.9 ends the process, loses queries or mixes up
 * their answers when the server dies (PostgresCorrections.ts), and no caller can catch that. So its source is corrected
 * while it is loaded: no install script, no copy of the package. The corrected instance is the CommonJS build, which
 * nobody else loads: it does not matter whether some library has imported `postgres` before. A version that the
 * corrections do not fit is refused here, at start.
 */
import { createRequire, registerHooks } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import type Postgres from "postgres"
import { corrections, type Correction } from "./PostgresCorrections.ts"

const MARK = "correctedByTroupe"

/** The source of one of the package's files, corrected. Throws unless each corrected place is there exactly once. */
export const correct = (file: Correction["file"], source: string): string => {
  let corrected = source
  for (const { was, is } of corrections.filter((one) => one.file === file)) {
    const parts = corrected.split(was)
    if (parts.length !== 2) {
      throw new Error(
        `The installed postgres package is not the one that Troupe corrects (${file} differs). Install postgres 3.4.9.`,
      )
    }
    corrected = parts.join(is)
  }
  return `${corrected}\nmodule.exports.${MARK} = true\n`
}

const load = (): typeof Postgres => {
  const require = createRequire(import.meta.url)
  const main = require.resolve("postgres")
  const files = (["connection.js", "index.js"] as const).map((file) => ({
    file,
    path: join(dirname(main), file),
  }))
  const hooks = registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      const found = files.find(({ path }) => pathToFileURL(path).href === url)
      return found === undefined ? loaded : { ...loaded, source: correct(found.file, String(loaded.source)) }
    },
  })
  const client = require(main) as typeof Postgres
  hooks.deregister()
  if (!files.every(({ path }) => MARK in (require(path) as object))) {
    throw new Error(
      "The postgres package was loaded without its corrections. Import it from runtime/store/guard.ts only.",
    )
  }
  return client
}

export const postgres = load()
