/** Where agents run commands: at Fly Sprites with a token that is taken, or here, where a command is run to see what keeps it apart. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Settings } from "../../runtime/index.ts"
import { bubblewrap, findProgram } from "../embedded/index.ts"
import { fetched } from "./Fetched.ts"
import { look, ok, wrong } from "./Finding.ts"
import { installing } from "./Machine.ts"

export const sandboxes = Effect.gen(function* () {
  const { spritesToken, spritesUrl, unsafeLocalExec } = yield* Settings
  if (Option.isSome(spritesToken)) {
    const url = Option.getOrElse(spritesUrl, () => "https://api.sprites.dev").replace(/\/$/, "")
    const answer = yield* fetched(`${url}/v1/sprites?max_results=1`, {
      authorization: `Bearer ${Redacted.value(spritesToken.value)}`,
    })
    if (answer === undefined)
      return [wrong("sandboxes", `${url} does not answer.`, `curl -i ${url}/v1/sprites`)]
    return answer.status === 401 || answer.status === 403
      ? [wrong("sandboxes", "Fly Sprites does not take SPRITES_TOKEN.", "export SPRITES_TOKEN=")]
      : [ok("sandboxes", `At Fly Sprites (${url}).`)]
  }
  const program = findProgram(bubblewrap.program)
  if (program === undefined && !unsafeLocalExec)
    return [
      wrong(
        "sandboxes",
        "bubblewrap is not installed, and SPRITES_TOKEN is not set.",
        installing(bubblewrap),
      ),
    ]
  const status = yield* tried(program, unsafeLocalExec)
  if (status.isolation === "refused")
    return [wrong("sandboxes", status.warning ?? "Commands are refused.", mend(status.warning ?? ""))]
  if (status.isolation === "none")
    return [
      look(
        "sandboxes",
        status.warning ?? "Commands run without isolation.",
        "unset TROUPE_UNSAFE_LOCAL_EXEC",
      ),
    ]
  const [weak] = status.limits.filter((limit) => /^No filter|no host can be allowed/.test(limit))
  return weak === undefined
    ? [ok("sandboxes", "Here, under bubblewrap; a command was run to see.")]
    : [look("sandboxes", `Here, under bubblewrap. ${weak}`)]
})

/** A sandbox server of its own, on an empty home: it tries its isolation out, as each start does. */
const tried = (bwrap: string | undefined, unsafeLocalExec: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const home = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const path = mkdtempSync(join(tmpdir(), "troupe-doctor-"))
          // Sandboxes have users of their own, who pass through it.
          chmodSync(path, 0o711)
          return path
        }),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
      )
      const { start } = yield* Effect.promise(() => import("../embedded/sprites/index.ts"))
      const server = yield* start({
        home,
        file: join(home, "sprites.json"),
        unsafeLocalExec,
        ...(bwrap === undefined ? {} : { bwrap }),
      })
      return server.status
    }),
  )

const restricted = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

/** Why bubblewrap fails where it is installed: a container's doors, or a kernel that keeps namespaces to itself. */
export const mend = (reason: string): string => {
  if (/prlimit|setpriv/.test(reason)) return "sudo apt-get install -y util-linux"
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv"))
    return "docker compose -f docker-compose.yml -f infra/docker/sandboxes.yml up -d"
  if (existsSync(restricted) && readFileSync(restricted, "utf8").trim() === "1")
    return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
  return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
}
