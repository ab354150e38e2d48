/** The public list of actors/sprite. */
export { Shell, type RunOptions, type ShellOptions } from "./Shell.ts"
export { OUTPUT_CAP, type CommandRequest, type CommandResult, type Place } from "./SessionShell.ts"
export { SessionRow, SessionStore, SessionStoreError } from "./SessionStore.ts"
export { makeReaper, type Reaped, type ReapOptions } from "./Reap.ts"
export { machineName, machinePrefix } from "./MachineName.ts"
export { execute, type Executed } from "./Execute.ts"
export { capText, visibleText } from "./VisibleText.ts"
export { layerPostgres } from "./PostgresSessions.ts"
