/** The public list of actors/conversation/tools. */
export { builtinTools, sandboxTools } from "./BuiltinTools.ts"
export type { Tool, ToolResult } from "./Tool.ts"
export { TurnContext } from "./Tool.ts"
export { withGithubTools } from "./github/index.ts"
