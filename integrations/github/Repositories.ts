/**
 * The repositories the App is installed in, by their number: names change, numbers stay. Learned from deliveries and from the
 * list of installations; rooms are known by the number only.
 */
import * as Effect from "effect/Effect"
import type { GithubApi } from "./GithubApi.ts"
import type { GithubError } from "./GithubError.ts"

export interface Repository {
  readonly id: number
  readonly installation: number
  readonly owner: string
  readonly name: string
  readonly fullName: string
  readonly private: boolean
}

export interface Repositories {
  readonly all: () => ReadonlyArray<Repository>
  readonly known: (id: number) => Repository | undefined
  readonly remember: (repository: Repository) => void
  /** Asks GitHub when it is not known; undefined: the App is not installed there (any more). */
  readonly find: (id: number) => Effect.Effect<Repository | undefined, GithubError>
  readonly named: (fullName: string) => Effect.Effect<Repository | undefined, GithubError>
  /** Reads the whole list again. */
  readonly refresh: Effect.Effect<void, GithubError>
}

export const repositoryOf = (
  installation: number,
  given: { readonly id: number; readonly full_name: string; readonly private: boolean },
): Repository => {
  const [owner = "", name = ""] = given.full_name.split("/")
  return { id: given.id, installation, owner, name, fullName: given.full_name, private: given.private }
}

export const makeRepositories = (
  asApp: GithubApi["asApp"],
  inInstallation: GithubApi["inInstallation"],
): Repositories => {
  let byId = new Map<number, Repository>()

  const refresh = Effect.gen(function* () {
    const next = new Map<number, Repository>()
    for (let page = 1; ; page++) {
      const list = yield* asApp("GET /app/installations", { per_page: 100, page })
      for (const { id } of list.data) yield* readInstallation(Number(id), next)
      if (list.next === null) break
    }
    byId = next
  })
  const readInstallation = Effect.fnUntraced(function* (id: number, into: Map<number, Repository>) {
    for (let page = 1; ; page++) {
      const list = yield* inInstallation(id, {}, "GET /installation/repositories", { per_page: 100, page })
      for (const found of list.data.repositories) {
        const repository = repositoryOf(id, { ...found, id: Number(found.id) })
        into.set(repository.id, repository)
      }
      if (list.next === null) return
    }
  })
  const search = (found: () => Repository | undefined) =>
    Effect.suspend(() => {
      const known = found()
      return known !== undefined ? Effect.succeed(known) : Effect.map(refresh, found)
    })

  return {
    all: () => [...byId.values()],
    known: (id) => byId.get(id),
    remember: (repository) => void byId.set(repository.id, repository),
    find: (id) => search(() => byId.get(id)),
    named: (fullName) =>
      search(() => [...byId.values()].find((r) => r.fullName.toLowerCase() === fullName.toLowerCase())),
    refresh,
  }
}
