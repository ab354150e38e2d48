/**
 * What the Sprites SDK throws, parsed in one function. The SDK has three shapes: `APIError` with a status,
 * `FilesystemError` with an errno code, and plain errors with the status inside the text.
 */
import { APIError, FilesystemError } from "@fly/sprites"
import { SandboxError } from "./Sandbox.ts"

type Fate = Pick<SandboxError, "kind" | "retry">

const byErrno: Readonly<Record<string, Fate>> = {
  ENOENT: { kind: "missing", retry: "never" },
  EACCES: { kind: "refused", retry: "never" },
  EPERM: { kind: "refused", retry: "never" },
  EIO: { kind: "unavailable", retry: "later" },
  EEXIST: { kind: "invalid", retry: "never" },
  ENOTDIR: { kind: "invalid", retry: "never" },
  EISDIR: { kind: "invalid", retry: "never" },
  ENOTEMPTY: { kind: "invalid", retry: "never" },
  EINVAL: { kind: "invalid", retry: "never" },
}

const byStatus = (status: number): Fate => {
  if (status === 404) return { kind: "missing", retry: "never" }
  if (status === 401 || status === 403) return { kind: "refused", retry: "never" }
  if (status === 429) return { kind: "limit", retry: "later" }
  if (status >= 400 && status < 500) return { kind: "invalid", retry: "never" }
  return { kind: "unavailable", retry: "later" }
}

const nextStep: Partial<Record<SandboxError["kind"], string>> = {
  refused: " Check SPRITES_TOKEN and the permissions of the path.",
  limit: " Wait, or raise the limit of the Sprites account.",
}

/** `doing` is the rest of "Could not ...", for people. */
export const toSandboxError =
  (doing: string) =>
  (cause: unknown): SandboxError => {
    if (cause instanceof SandboxError) return cause
    const fate = fateOf(cause)
    const text = (cause instanceof Error ? cause.message : String(cause)).split(" (url: ")[0]!
    return new SandboxError({
      ...fate,
      message: `Could not ${doing}: ${text.replace(/\.$/, "")}.${nextStep[fate.kind] ?? ""}`,
      cause,
    })
  }

const fateOf = (cause: unknown): Fate => {
  if (cause instanceof APIError && cause.statusCode !== undefined) return byStatus(cause.statusCode)
  const text = cause instanceof Error ? cause.message : String(cause)
  // The hosted service was seen to leave the errno code out of a 404: then only the text tells.
  if (cause instanceof FilesystemError)
    return (
      byErrno[cause.code] ??
      (/no such|not found|ENOENT|status 404/i.test(text)
        ? byErrno["ENOENT"]!
        : { kind: "unavailable", retry: "later" })
    )
  // Here the SDK says what the server's 400 was for, and leaves the number out.
  if (text.startsWith("Invalid policy: ")) return byStatus(400)
  const status = /\(status (\d{3})\)/.exec(text)?.[1]
  return status === undefined ? { kind: "unavailable", retry: "later" } : byStatus(Number(status))
}
