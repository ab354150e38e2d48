export * as Rehearsal from "./Rehearsal.ts"
export type { RehearsalOptions } from "./Rehearsal.ts"
export { signature as rehearsalSignature } from "./Rules.ts"
