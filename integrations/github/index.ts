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
export {
  Github,
  GithubRefused,
  refusalOf,
  type Asker,
  type GithubFailure,
  type Grant,
  type Need,
} from "./Github.ts"
export { readIssue, searchIssues } from "./Reads.ts"
export { callKey, comment, openIssue, openPull, review, type NewComment, type Written } from "./Writes.ts"
export { workBranch, type WorkBranch } from "./Branches.ts"
export { convertManifest, manifestOf, newAppUrl, type MadeApp } from "./Manifest.ts"
