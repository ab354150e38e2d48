/** What a person is told about the integration. A life cycle in one field; messages are whole sentences. */
import type { StoreError } from "../../runtime/index.ts"
import { verdictOf, type GithubError } from "./GithubError.ts"

export type DoorState =
  | { readonly _tag: "connecting" }
  /** `account` is the App's @name; `note` is something a person may want to know. */
  | { readonly _tag: "connected"; readonly account: string; readonly note: string | null }
  /** Goes away by itself; tried again. */
  | { readonly _tag: "failing"; readonly message: string }
  /** A person must do something. */
  | { readonly _tag: "refused"; readonly message: string }

/** `name` is the integration's name in troupe.yaml. */
export const stateOf = (name: string, root: string, error: GithubError | StoreError): DoorState => {
  if (error._tag === "StoreError")
    return {
      _tag: "failing",
      message: "The database does not take deliveries; GitHub keeps them and they are fetched afterwards.",
    }
  const verdict = verdictOf(error)
  if (verdict._tag === "limited")
    return {
      _tag: "failing",
      message: `GitHub asks to slow down; it goes on in ${Math.ceil(verdict.afterMs / 1000)} s.`,
    }
  if (error.status === 401 || (error.status === 404 && error.route === "GET /app"))
    return {
      _tag: "refused",
      message: `GitHub does not know the App of "${name}": compare appId and privateKey with the App's settings page and restart.`,
    }
  if (error.status === 0)
    return {
      _tag: "failing",
      message: `GitHub cannot be reached at ${root} (${error.message}); trying again.`,
    }
  return {
    _tag: "failing",
    message: `GitHub refused ${error.route}: ${error.message} (${error.status}); trying again.`,
  }
}

/** How long to wait after the n-th failure in a row. */
export const pauseOf = (error: GithubError | StoreError, failures: number): number => {
  const verdict = error._tag === "GithubError" ? verdictOf(error) : undefined
  if (verdict?._tag === "limited") return verdict.afterMs
  if (verdict?._tag === "refused") return 60_000
  return Math.min(250 * 2 ** Math.min(failures - 1, 10), 15_000)
}
