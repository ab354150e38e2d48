/** The public list of actors/janitor. */
export * as Janitor from "./Janitor.ts"
export { forgetQuietRooms } from "./Forget.ts"
