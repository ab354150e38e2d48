export * from "./Sandbox.ts"
export * as Sprites from "./Sprites.ts"
