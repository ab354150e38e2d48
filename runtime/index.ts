/** The public list of the runtime. Folders outside `runtime/` import from here only. */
export * from "./room/Id.ts"
export * from "./room/Event.ts"
export * from "./door/Inbound.ts"
export * from "./door/Outward.ts"
export * from "./door/Hooks.ts"
export * from "./http/KeepAliveFetch.ts"
export { Settings, SettingsError } from "./config/Settings.ts"
export * from "./config/ConfigError.ts"
export * from "./config/TroupeConfig.ts"
export * from "./config/YamlScalars.ts"
export * as TroupeYaml from "./config/TroupeYaml.ts"
export { Sealed, type Place } from "./secrets/Envelope.ts"
export { lastFour, type SecretKeys, Secrets } from "./secrets/Secrets.ts"
export { Redaction } from "./secrets/Redaction.ts"
export { SecretsError } from "./secrets/SecretsError.ts"
export * as Logging from "./telemetry/Logging.ts"
export * as Actor from "./actor/index.ts"
export { Bus, BusError, type BusInspection } from "./bus/Bus.ts"
export * as BusNats from "./bus/BusNats.ts"
export * as NatsPermissions from "./bus/Permissions.ts"
export * as Subject from "./bus/Subject.ts"
export { Notices, type Notice } from "./door/Notices.ts"
export { Pairings, type Pairing } from "./identity/Pairings.ts"
export { Pace } from "./door/Pace.ts"
export { Courier } from "./door/Courier.ts"
export type { Action, Parcel } from "./door/Parcel.ts"
export { SayDoor } from "./door/SayDoor.ts"
export * from "./door/SayRequest.ts"
export { Leases, type Held } from "./lease/Leases.ts"
export {
  isInside,
  mentionsIn,
  mostHops,
  open as openSlot,
  rank,
  slotsOf,
  triage as triageSlot,
  type Ranked,
} from "./room/Address.ts"
export * from "./room/Order.ts"
export { Blobs, type Blob } from "./room/Blobs.ts"
export { agentAt, following, runtimeAt } from "./room/Following.ts"
export { Journal, type Said } from "./room/Journal.ts"
export { eventJson, Relay } from "./room/Relay.ts"
export { Rooms, type Room, type UnderWay, type Why } from "./room/Rooms.ts"
export { storable } from "./room/Storable.ts"
export {
  Roster,
  usualPatience,
  type Agent,
  type Permission,
  type Company as CompanyNow,
  type Door,
} from "./room/Roster.ts"
export { Identities, type Account } from "./identity/Identities.ts"
export { Sql } from "./store/Sql.ts"
export { StoreError } from "./store/StoreError.ts"
export type { NewEvent } from "./store/hot/Append.ts"
export type { BegunRow, Release, Scope as BudgetScope, TranscriptRow } from "./store/hot/Begin.ts"
export type { NatsAddress as BusNatsAddress } from "./bus/BusNats.ts"
export * as Company from "./config/Company.ts"
export type { CompanyConfig, StoredDoor } from "./config/Company.ts"
export { migrate } from "./store/Migrations.ts"
export { dump } from "./store/Dump.ts"
export { load } from "./store/Load.ts"
export * as Archive from "./secrets/Archive.ts"
