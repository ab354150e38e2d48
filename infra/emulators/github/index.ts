/** The public list of the GitHub emulator. */
export * as GithubEmulator from "./GithubEmulator.ts"
export type { AppSpec, EmulatorOptions } from "./GithubEmulator.ts"
export type { Fault } from "./Faults.ts"
export type { Account, App, Comment, Issue, Permission, Repo } from "./World.ts"
