/** The public list of actors/conversation/tools. */
export { builtinTools } from "./BuiltinTools.ts"
export type { Tool, ToolResult } from "./Tool.ts"
export { TurnContext } from "./Tool.ts"
