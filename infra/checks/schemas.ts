/** `npm run schemas`: writes docs/schemas anew. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { busSchemas, schemasFolder } from "./BusSchemas.ts"

rmSync(schemasFolder, { recursive: true, force: true })
mkdirSync(schemasFolder, { recursive: true })
for (const [file, text] of await busSchemas()) writeFileSync(join(schemasFolder, file), text)
