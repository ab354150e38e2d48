/** The embedded tier: what `npm start` needs when nothing is configured. */
export { EmbeddedError, HomeTaken } from "./EmbeddedError.ts"
export { openHome, type Home } from "./Home.ts"
export { account, atLeast } from "./NatsConfig.ts"
export { startNats } from "./NatsServer.ts"
export { inspectorOn, noteOutsiders, type Outsider } from "./OutsiderFile.ts"
export { embeddedPostgres, startPostgres } from "./Postgres.ts"
export type { Status } from "./Supervisor.ts"
export {
  advice,
  bubblewrap,
  findProgram,
  natsServer,
  systemProgram,
  thisSystem,
  type SystemProgram,
} from "./SystemPackage.ts"
