/**
 * A secret by file: `<NAME>_FILE` is the path of a file with the value of `<NAME>`, as Docker, Kubernetes and systemd hand secrets
 * over. One line break at the end is not part of it. Naming both is a mistake, because nobody could say which one holds.
 */
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"

/** The value of `name`, or one sentence on why there is none; `undefined` when neither variable is set. */
export const secretValue = (
  name: string,
  lookup: (name: string) => string | undefined,
): Result.Result<string | undefined, string> => {
  const value = lookup(name) || undefined
  const file = lookup(`${name}_FILE`) || undefined
  if (file === undefined) return Result.succeed(value)
  if (value !== undefined) return Result.fail(`${name} and ${name}_FILE are both set: keep one of them.`)
  return Result.try({
    try: () => readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined,
    catch: () =>
      `${name}_FILE names ${file}, which cannot be read: correct the path, or the permissions of the file.`,
  })
}
