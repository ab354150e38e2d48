/** While the image is built: completes what its read-only file system keeps Troupe from completing later. */
import { postgresBinaries } from "../embedded/PostgresBinaries.ts"

process.stdout.write(`Postgres: ${postgresBinaries(undefined, "/tmp")}\n`)
