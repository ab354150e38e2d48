/** The public list of the admin page and its API: the one HTTP server. */
export * from "./api/index.ts"
export { ListenError } from "./server/ListenError.ts"
export * as LiveRoomsRuntime from "./server/LiveRoomsRuntime.ts"
export { ServerOptions, type ServerSettings } from "./server/ServerOptions.ts"
export { Accounts } from "./server/Accounts.ts"
export { Audit } from "./server/Audit.ts"
export { People } from "./server/People.ts"
export { WebServer } from "./server/WebServer.ts"
