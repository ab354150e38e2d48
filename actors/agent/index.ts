/** The public list of actors/agent. */
export * as Staff from "./Staff.ts"
