/** The local Sprites server. */
export { type LocalSprites, LocalSpritesError, type Options, start, type Status } from "./LocalSprites.ts"
export { defaultLimits, type Limits } from "./Limits.ts"
