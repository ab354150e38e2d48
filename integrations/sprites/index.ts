export * from "./Sandbox.ts"
