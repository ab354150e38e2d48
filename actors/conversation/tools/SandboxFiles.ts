/**
 * What the file tools share: where a path points, reading a text, and results that do not fit. Paths are absolute, or
 * begin at the shell's directory; `~` is the sandbox's home.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { posix } from "node:path"
import { newId } from "../../../runtime/index.ts"
import type { SandboxError } from "../../../integrations/sprites/index.ts"
import { capText, OUTPUT_CAP } from "../../sprite/index.ts"
import type { Place, Shell } from "../../sprite/index.ts"
import { Refusal } from "./SchemaTool.ts"
import { TurnContext } from "./Tool.ts"

export const MAX_EDIT_BYTES = 8 * 1024 * 1024

export const placeOf = (shell: Shell["Service"]): Effect.Effect<Place, SandboxError, TurnContext> =>
  Effect.flatMap(TurnContext, ({ agent, thread }) => shell.place(agent, thread))

/** Absolute, without `.` and `..`. */
export const resolvePath = (path: string, place: Pick<Place, "home" | "cwd">): string => {
  const expanded = path === "~" || path.startsWith("~/") ? place.home + path.slice(1) : path
  return posix.resolve(place.cwd, expanded)
}

export const inPlace = Effect.fnUntraced(function* (
  shell: Shell["Service"],
  path: string,
): Effect.fn.Return<Place & { readonly path: string }, SandboxError | Refusal, TurnContext> {
  if (path === "" || path.includes("\0"))
    return yield* new Refusal({ message: "The path must not be empty or contain NUL characters." })
  const place = yield* placeOf(shell)
  return { ...place, path: resolvePath(path, place) }
})

/** The text of a file, null when there is none. Refuses what is not text: an edit would destroy it. */
export const readText = Effect.fnUntraced(function* (
  { machine }: Pick<Place, "machine">,
  path: string,
): Effect.fn.Return<string | null, SandboxError | Refusal> {
  const bytes = yield* machine.readFile(path).pipe(
    Effect.catchIf(
      ({ kind }) => kind === "missing",
      () => Effect.succeed(null),
    ),
  )
  if (bytes === null) return null
  if (bytes.length > MAX_EDIT_BYTES)
    return yield* new Refusal({ message: `${path} is larger than 8 MiB. Change it with the shell.` })
  const text = Buffer.from(bytes).toString("utf8")
  if (!Buffer.from(text, "utf8").equals(bytes) || text.includes("\0"))
    return yield* new Refusal({ message: `${path} is not a UTF-8 text. Change it with the shell.` })
  return text
})

/** A result that is too long goes to a file in the sandbox, which the answer names. */
export const capped = Effect.fnUntraced(function* (
  { machine, home }: Place,
  text: string,
): Effect.fn.Return<string> {
  if (text.length <= OUTPUT_CAP) return text
  const path = `${home}/.troupe/output/${newId(yield* Clock.currentTimeMillis)}.log`
  const written = yield* machine.writeFile(path, Buffer.from(text)).pipe(
    Effect.as(path),
    Effect.catch(() => Effect.succeed(null)),
  )
  return capText(text, OUTPUT_CAP, written)
})
