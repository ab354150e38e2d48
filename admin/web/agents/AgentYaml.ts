/** An agent as the block of troupe.yaml that declares it. */
import type { AgentDetail, AgentDraft } from "../../api/index.ts"

export const draftOf = (agent: AgentDetail): AgentDraft => ({
  name: agent.name,
  title: agent.title,
  model: agent.model,
  soul: agent.soul,
  interests: agent.interests,
  integrations: agent.integrations,
  steering: agent.steering,
  permissions: agent.permissions,
})

/** JSON strings are YAML strings. */
const list = (items: ReadonlyArray<string>) => `[${items.map((item) => JSON.stringify(item)).join(", ")}]`

export const yamlOf = (draft: AgentDraft): string => {
  const permissions = Object.entries(draft.permissions)
  return [
    "agents:",
    `  - name: ${draft.name}`,
    `    title: ${JSON.stringify(draft.title)}`,
    ...(draft.model === null ? [] : [`    model: ${JSON.stringify(draft.model)}`]),
    "    soul: |",
    ...draft.soul.split("\n").map((line) => (line === "" ? "" : `      ${line}`)),
    ...(draft.interests.length === 0 ? [] : [`    interests: ${list(draft.interests)}`]),
    `    integrations: ${list(draft.integrations)}`,
    ...(draft.steering === null ? [] : [`    steering: ${draft.steering}`]),
    ...(permissions.length === 0
      ? []
      : ["    permissions:", ...permissions.map(([tool, may]) => `      ${JSON.stringify(tool)}: ${may}`)]),
    "",
  ].join("\n")
}
