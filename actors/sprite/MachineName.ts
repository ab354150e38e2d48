/** One computer per agent, found by name: `troupe-<workspace>-<agent>`, at most 63 characters. */
import { createHash } from "node:crypto"
import type { AgentId, WorkspaceId } from "../../runtime/index.ts"

export const machinePrefix = (workspace: WorkspaceId): string => `troupe-${short(workspace, 20)}-`

export const machineName = (workspace: WorkspaceId, agent: AgentId): string =>
  machinePrefix(workspace) + short(agent, 34)

/** Ids are lower-case letters and digits already; one that is too long becomes a hash of itself. */
const short = (id: string, most: number): string =>
  id.length <= most ? id : createHash("sha256").update(id).digest("hex").slice(0, most)
