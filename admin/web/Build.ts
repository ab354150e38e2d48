/**
 * Builds the page into `dist`: run by `npm ci` (the package's `prepare`), by `npm run page`, and by a start that finds the page
 * older than its sources. It builds beside the old page and then takes its place, so that two builds at once do no harm.
 * `dist/files.json` lists what may be served, each with a gzipped twin.
 */
import { createHash } from "node:crypto"
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"

const here = import.meta.dirname
export const dist = join(here, "dist")

export interface Built {
  /** Of the sources it was made from. */
  readonly sources: string
  readonly files: ReadonlyArray<{ readonly path: string; readonly gzip: boolean }>
}

/** One hash of everything the page is made from. */
export const sourcesHash = (): string => {
  const hash = createHash("sha256")
  const files = globSync(["**/*.{ts,tsx,css,html,js,svg}", "../api/*.ts"], {
    cwd: here,
    exclude: (path) => /(^|\/)dist/.test(path),
  })
  for (const file of [...files.sort(), "../../package.json"])
    hash.update(`${file}\n`).update(readFileSync(join(here, file)))
  return hash.digest("hex")
}

export const built = (): Built | undefined => {
  const list = join(dist, "files.json")
  return existsSync(list) ? (JSON.parse(readFileSync(list, "utf8")) as Built) : undefined
}

/** False when what it is built with is not installed: then a page that was built before is served as it is. */
const build = async (): Promise<boolean> => {
  const sources = sourcesHash()
  if (built()?.sources === sources) return true
  const vite = await import("vite").catch(() => undefined)
  if (vite === undefined) return false
  const fresh = `${dist}-${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh)
  await vite.build({
    configFile: join(here, "vite.config.ts"),
    logLevel: "warn",
    build: { outDir: fresh, emptyOutDir: true },
  })
  const paths = globSync("**/*", { cwd: fresh }).filter((path) => statSync(join(fresh, path)).isFile())
  const files = paths.sort().map((path) => {
    const gzip = /\.(js|css|html|svg)$/.test(path)
    if (gzip)
      writeFileSync(join(fresh, `${path}.gz`), gzipSync(readFileSync(join(fresh, path)), { level: 9 }))
    return { path: path.replaceAll("\\", "/"), gzip }
  })
  writeFileSync(join(fresh, "files.json"), JSON.stringify({ sources, files } satisfies Built))
  const old = `${dist}-old-${process.pid}`
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
  return true
}

if (process.argv[1] === import.meta.filename) {
  const done = await build()
  if (!done) process.stdout.write("The page was not built: vite is not installed here.\n")
}
