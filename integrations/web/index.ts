/** The public list of the web door: the page, its API and the one HTTP server. */
export { type WebDoorOptions, WebDoor } from "./WebDoor.ts"
export { WebServer } from "./WebServer.ts"
export { Sessions } from "./Sessions.ts"
export { Delta, type Listener, MemberSummary, RoomSummary, Status, WebRooms, WhyEntry } from "./WebPorts.ts"
export { owner } from "./ApiRoutes.ts"
export { Credential } from "./LockMiddleware.ts"
export { ApiError, WebListenError } from "./WebError.ts"
export * as WebRoomsRuntime from "./WebRoomsRuntime.ts"
