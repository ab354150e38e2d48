/** The Apps that this process is connected to: for their doors, and for tools. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DoorId } from "../../runtime/index.ts"
import type { DoorState } from "./DoorState.ts"
import type { GithubApp } from "./GithubDoor.ts"

export class GithubApps extends Context.Service<
  GithubApps,
  {
    readonly all: () => ReadonlyArray<GithubApp>
    readonly get: (door: DoorId) => GithubApp | undefined
    /** Why an App of troupe.yaml is not among them. */
    readonly failure: (door: DoorId) => string | undefined
    /** Whom to tell of the App's connection. */
    readonly onReport: (door: DoorId, report: (state: DoorState) => Effect.Effect<void>) => void
  }
>()("troupe/github/GithubApps") {}
