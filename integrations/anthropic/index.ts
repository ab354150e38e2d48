export * from "./Model.ts"
export { invalidInput } from "./Assembly.ts"
export * from "./Price.ts"
export * as Anthropic from "./Anthropic.ts"
