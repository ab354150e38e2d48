/** The local Sprites server. */
export { type LocalSprites, LocalSpritesError, type Options, start } from "./LocalSprites.ts"
export type { Status } from "./Status.ts"
export { defaultLimits, type Limits } from "./Limits.ts"
