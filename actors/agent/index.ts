/** The public list of actors/agent. */
export * as Staff from "./Staff.ts"
export * as Outside from "./Outside.ts"
