/** The repositories themselves: bare ones on disk, changed by plumbing, served over smart HTTP by `git http-backend`. */
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"

const clean = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Person",
  GIT_AUTHOR_EMAIL: "person@example.com",
  GIT_COMMITTER_NAME: "Person",
  GIT_COMMITTER_EMAIL: "person@example.com",
}

export const git = (
  directory: string,
  args: ReadonlyArray<string>,
  input?: string | Uint8Array,
  env: Readonly<Record<string, string>> = {},
): string =>
  execFileSync("git", ["--git-dir", directory, ...args], {
    env: { ...clean, ...env },
    input: input ?? "",
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  })
    .toString("utf8")
    .trimEnd()

/** As GitHub does for Apps that lack the permission "workflows". */
const preReceive = `#!/bin/sh
[ "$EMULATOR_WORKFLOWS" = 1 ] && exit 0
while read old new ref; do
  case "$new" in *[!0]*) ;; *) continue ;; esac
  case "$old" in *[!0]*) from=$old ;; *) from=$(git merge-base main "$new" 2>/dev/null || git hash-object -t tree /dev/null) ;; esac
  path=$(git diff --name-only "$from" "$new" -- .github/workflows | head -1)
  if [ -n "$path" ]; then
    echo "refusing to allow a GitHub App to create or update workflow \\\`$path\\\` without \\\`workflows\\\` permission" >&2
    exit 1
  fi
done
`

export const initRepository = (directory: string): void => {
  mkdirSync(directory, { recursive: true })
  git(directory, ["init", "-q", "--bare", "--initial-branch=main", directory])
  const hook = join(directory, "hooks/pre-receive")
  mkdirSync(join(directory, "hooks"), { recursive: true })
  writeFileSync(hook, preReceive)
  chmodSync(hook, 0o755)
}

export const shaOf = (directory: string, ref: string): string | undefined => {
  try {
    return git(directory, ["rev-parse", "--verify", "-q", `${ref}^{commit}`])
  } catch {
    return undefined
  }
}

/** Commits on top of a branch (or of `from`, when it is new); null removes a file. The new commit. */
export const commit = (
  directory: string,
  branch: string,
  files: Readonly<Record<string, string | Uint8Array | null>>,
  message: string,
  from = "main",
): string => {
  const parent = shaOf(directory, `refs/heads/${branch}`) ?? shaOf(directory, `refs/heads/${from}`)
  const index = join(directory, `index.${process.pid}`)
  const env = { GIT_INDEX_FILE: index }
  if (parent !== undefined) git(directory, ["read-tree", parent], undefined, env)
  for (const [path, content] of Object.entries(files)) {
    if (content === null) git(directory, ["update-index", "--force-remove", path], undefined, env)
    else {
      const blob = git(directory, ["hash-object", "-w", "--stdin"], content)
      git(directory, ["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], undefined, env)
    }
  }
  const tree = git(directory, ["write-tree"], undefined, env)
  rmSync(index, { force: true })
  const parents = parent === undefined ? [] : ["-p", parent]
  const sha = git(directory, ["commit-tree", tree, ...parents, "-m", message])
  git(directory, ["update-ref", `refs/heads/${branch}`, sha])
  return sha
}

export const branchesOf = (directory: string): ReadonlyMap<string, string> =>
  new Map(
    git(directory, ["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"])
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" ") as [string, string]),
  )

/** One smart HTTP exchange. Resolves when the backend has ended, before its answer is sent. */
export const httpBackend = (
  directory: string,
  path: string,
  query: string,
  request: IncomingMessage,
  body: Buffer,
): Promise<{ readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer }> =>
  new Promise((resolve, reject) => {
    const header = (name: string) => String(request.headers[name] ?? "")
    const child = spawn("git", ["http-backend"], {
      env: {
        ...clean,
        GIT_PROJECT_ROOT: directory,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method ?? "GET",
        CONTENT_TYPE: header("content-type"),
        CONTENT_LENGTH: String(body.length),
        HTTP_CONTENT_ENCODING: header("content-encoding"),
        HTTP_GIT_PROTOCOL: header("git-protocol"),
        GIT_PROTOCOL: header("git-protocol"),
        REMOTE_USER: "x-access-token",
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    })
    const chunks: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.once("error", reject)
    child.once("close", () => {
      const out = Buffer.concat(chunks)
      const end = out.indexOf("\r\n\r\n")
      const headers: Record<string, string> = {}
      let status = 200
      for (const line of out.subarray(0, end).toString("latin1").split("\r\n")) {
        const [name = "", ...value] = line.split(": ")
        if (name === "Status") status = Number(value[0]?.split(" ")[0])
        else headers[name.toLowerCase()] = value.join(": ")
      }
      resolve({ status, headers, body: out.subarray(end + 4) })
    })
    child.stdin.on("error", () => {})
    child.stdin.end(body)
  })

export const answer = (
  response: ServerResponse,
  result: { readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer },
): void => {
  response.writeHead(result.status, { ...result.headers, "content-length": result.body.length })
  response.end(result.body)
}
