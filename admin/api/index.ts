/** The public list of the API's definition: schemas only, nothing that serves. */
export { Api } from "./Api.ts"
export { AgentDetail, AgentDraft, Decision, MemberSummary, Prompt } from "./AgentsApi.ts"
export {
  ActorView,
  BusView,
  Cause,
  Found,
  IntegrationView,
  Money,
  SandboxView,
  SecretView,
  Waiting,
} from "./InsightApi.ts"
export { Caller, type CallerKind, type Person } from "./Caller.ts"
export { Guard } from "./Guard.ts"
export { covers, Fresh, Needs, Private, Role, roles } from "./Needs.ts"
export { AuditEntry, PersonSummary, TokenSummary } from "./PeopleApi.ts"
export {
  BadRequest,
  Conflict,
  Forbidden,
  Misconfigured,
  noRoom,
  NotFound,
  type Refusal,
  Unavailable,
} from "./Refusal.ts"
export { CallDetail, Delta, pageSize, RoomSummary, Say, WhyEntry } from "./RoomsApi.ts"
export { Me, Status } from "./SystemApi.ts"
