/** The public list of the GitHub door. */
export {
  githubApp,
  githubDoor,
  GithubMisconfigured,
  type GithubApp,
  type GithubDoorServices,
} from "./GithubDoor.ts"
export { GithubApps } from "./GithubApps.ts"
export { githubIntegration, GithubSettings } from "./Settings.ts"
export type { DoorState } from "./DoorState.ts"
export type { Receipts } from "./Compose.ts"
