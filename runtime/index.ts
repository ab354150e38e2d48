/** The public list of the runtime. Folders outside `runtime/` import from here only. */
export * from "./room/Id.ts"
export * from "./room/Event.ts"
export * from "./door/Inbound.ts"
export * from "./door/Outward.ts"
export * from "./door/Hooks.ts"
export * from "./http/KeepAliveFetch.ts"
