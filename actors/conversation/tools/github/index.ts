/** The tools for GitHub, in the order in which the model sees them; the others then ask for permission in its rooms. */
import * as Effect from "effect/Effect"
import { Github, GithubApps } from "../../../../integrations/github/index.ts"
import { Shell } from "../../../sprite/index.ts"
import type { Tool } from "../Tool.ts"
import { guarded } from "./CommandGuard.ts"
import { githubCloneTool, githubOpenPullTool, githubPushTool } from "./GitTools.ts"
import { githubDiffTool, githubFileTool, githubIssueTool, githubSearchTool } from "./ReadTools.ts"
import {
  githubCommentTool,
  githubLabelTool,
  githubLinkTool,
  githubOpenIssueTool,
  githubReactTool,
  githubReviewTool,
} from "./WriteTools.ts"

/** Where no App is configured, `others` as they are. */
export const withGithubTools = <E, R>(others: Effect.Effect<ReadonlyArray<Tool>, E, R>) =>
  Effect.gen(function* () {
    const tools = yield* others
    const apps = yield* GithubApps
    if (apps.all().length === 0) return tools
    const github = yield* Github
    const shell = yield* Shell
    return [
      ...tools.map((tool) => guarded(tool, github)),
      githubIssueTool(github),
      githubDiffTool(github),
      githubFileTool(github),
      githubSearchTool(github),
      githubCommentTool(github),
      githubReviewTool(github),
      githubLabelTool(github),
      githubReactTool(github),
      githubOpenIssueTool(github),
      githubCloneTool(github, shell),
      githubPushTool(github, shell),
      githubOpenPullTool(github),
      githubLinkTool(github),
    ]
  })
