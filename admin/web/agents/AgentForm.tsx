/** What a person decides about an agent, with the prompt that comes of it beside. */
import { MultiSelect, Select, TagsInput, Textarea, TextInput } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import type { ReactNode } from "react"
import type { AgentDraft } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { integrationsQuery } from "../data/Queries.ts"
import { PromptPreview } from "./PromptPreview.tsx"

type Permission = AgentDraft["permissions"][string]

export const AgentForm = ({
  draft,
  change,
  children,
}: {
  readonly draft: AgentDraft
  readonly change: (draft: AgentDraft) => void
  readonly children: ReactNode
}) => {
  const set = (part: Partial<AgentDraft>) => change({ ...draft, ...part })
  const doors = useQuery(integrationsQuery).data?.map(({ name }) => name) ?? draft.integrations
  return (
    <div className="agent-form">
      <form className="panel form" onSubmit={(event) => event.preventDefault()}>
        <div className="form-row">
          <TextInput
            label="Handle"
            description="How people call it"
            leftSection="@"
            value={draft.name}
            error={
              /^[a-z][a-z0-9-]{0,30}$/.test(draft.name) || draft.name === ""
                ? null
                : "Small letters, digits and dashes"
            }
            onChange={(e) => set({ name: e.currentTarget.value.toLowerCase() })}
          />
          <TextInput
            label="Title"
            description="What it is here for"
            value={draft.title}
            onChange={(e) => set({ title: e.currentTarget.value })}
          />
        </div>
        <Textarea
          label="Soul"
          description="Who it is and how it works, in your words"
          autosize
          minRows={6}
          maxRows={18}
          value={draft.soul}
          onChange={(e) => set({ soul: e.currentTarget.value })}
        />
        <TagsInput
          label="Interests"
          description="Words that make it step forward when nobody is named"
          value={[...draft.interests]}
          onChange={(interests) => set({ interests })}
        />
        <div className="form-row">
          <MultiSelect
            label="Integrations"
            description="Whose rooms it hears"
            data={doors}
            value={[...draft.integrations]}
            onChange={(integrations) => set({ integrations })}
          />
          <TextInput
            label="Model"
            description="Empty: the model of this installation"
            value={draft.model ?? ""}
            onChange={(e) =>
              set({ model: e.currentTarget.value.trim() === "" ? null : e.currentTarget.value })
            }
          />
        </div>
        <Permissions draft={draft} set={set} />
        <div className="form-end">{children}</div>
      </form>
      <section aria-label="What it is told">
        <h3 className="small-head">What it is told</h3>
        {draft.name === "" || draft.title.trim() === "" || draft.soul === "" ? (
          <p className="quiet">Give it a handle, a title and a soul, and the exact prompt stands here.</p>
        ) : (
          <PromptPreview draft={draft} />
        )}
      </section>
    </div>
  )
}

const Permissions = ({
  draft,
  set,
}: {
  readonly draft: AgentDraft
  readonly set: (part: Partial<AgentDraft>) => void
}) => {
  const tools = useQuery({
    queryKey: ["tools"],
    queryFn: () =>
      call("POST /api/agents/preview", {
        body: { ...draft, name: "a", title: "a", soul: "a", permissions: {} },
      }).then((prompt) => prompt.tools),
    staleTime: Number.POSITIVE_INFINITY,
  }).data
  if (tools === undefined || tools.length === 0) return null
  const change = (tool: string, permission: Permission) =>
    set({
      permissions: Object.fromEntries(
        [
          ...Object.entries(draft.permissions).filter(([name]) => name !== tool),
          [tool, permission] as const,
        ].filter(([, p]) => p !== "allow"),
      ),
    })
  return (
    <fieldset className="permissions">
      <legend>Tools</legend>
      {tools.map((tool) => (
        <div key={tool.name}>
          <span title={tool.description}>
            <code>{tool.name}</code>
          </span>
          <Select
            aria-label={`May it use ${tool.name}?`}
            size="xs"
            data={[
              { value: "allow", label: "allowed" },
              { value: "ask", label: "asks each time" },
              { value: "deny", label: "denied" },
            ]}
            value={draft.permissions[tool.name] ?? "allow"}
            onChange={(value) => change(tool.name, value as Permission)}
          />
        </div>
      ))}
    </fieldset>
  )
}
