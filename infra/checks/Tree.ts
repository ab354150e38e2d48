/** All source files of the repository, read for the rules. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { breachesOf, type Breach, type Bridge } from "./Rules.ts"
import { readSource } from "./Source.ts"

const files = ["{runtime,actors,integrations,admin,infra}/**/*.{ts,tsx,js}", "*.ts"]

export const breachesIn = (root: string, allowed?: ReadonlyArray<Bridge>): Array<Breach> =>
  globSync(files, { cwd: root, exclude: ["**/node_modules/**", "admin/web/dist*/**"] })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .flatMap((path) => breachesOf(readSource(path, readFileSync(join(root, path), "utf8")), allowed))
