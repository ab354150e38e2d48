/** Hiring an agent: from a template or from nothing, in under a minute. */
import { Button } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { useState } from "react"
import type { AgentDraft } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { integrationsQuery, queries } from "../data/Queries.ts"
import { Page } from "../ui/Page.tsx"
import { complain, toast } from "../ui/Toasts.tsx"
import { AgentForm } from "./AgentForm.tsx"

const blank: AgentDraft = {
  name: "",
  title: "",
  model: null,
  soul: "",
  interests: [],
  integrations: [],
  steering: null,
  permissions: {},
}

const templates: ReadonlyArray<Pick<AgentDraft, "name" | "title" | "soul" | "interests">> = [
  {
    name: "kit",
    title: "Engineer",
    soul: "You build things and show your receipts: the command, its exit code, what changed.\nYou try before you claim, take the smallest step that settles the question, and say plainly when something failed.",
    interests: ["bug", "build", "code", "test"],
  },
  {
    name: "rae",
    title: "Reviewer",
    soul: "You read closely and ask the question that everyone skipped.\nYou name the risk, the line it lives on and the smallest change that removes it.",
    interests: ["review", "risk", "security"],
  },
  {
    name: "wren",
    title: "Writer",
    soul: "You write for people who are short of time: the point first, plain words, nothing twice.\nYou ask who reads it before you begin.",
    interests: ["docs", "release", "write"],
  },
  {
    name: "otto",
    title: "Operations",
    soul: "You look at what runs, say what is wrong and since when, and propose the step that can be undone.\nYou never change production without a person saying so.",
    interests: ["deploy", "incident", "logs"],
  },
]

export const NewAgentPage = () => {
  const doors = useQuery(integrationsQuery).data?.map(({ name }) => name)
  const [draft, setDraft] = useState<AgentDraft>(blank)
  const [busy, setBusy] = useState(false)
  const navigate = useNavigate()
  const whole = {
    ...draft,
    integrations: draft.integrations.length === 0 ? (doors ?? []) : draft.integrations,
  }
  const hire = async () => {
    setBusy(true)
    try {
      const { id } = await call("POST /api/agents", { body: { ...whole, title: whole.title.trim() } })
      await queries.invalidateQueries({ queryKey: ["agents"] })
      toast(`@${draft.name} works here now: say hello in a room.`)
      await navigate({ to: "/agents/$agent", params: { agent: id } })
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  return (
    <Page
      title="Hire an agent"
      about="Begin with somebody like one of these, or with nothing. It hears its rooms as soon as it is hired."
    >
      <div className="templates">
        {templates.map((template) => (
          <button
            key={template.name}
            type="button"
            className="idea"
            onClick={() => setDraft({ ...draft, ...template })}
          >
            {template.title}
          </button>
        ))}
      </div>
      <AgentForm draft={whole} change={setDraft}>
        <Button
          loading={busy}
          disabled={
            !/^[a-z][a-z0-9-]{0,30}$/.test(draft.name) ||
            draft.title.trim() === "" ||
            draft.soul.trim() === ""
          }
          onClick={() => void hire()}
        >
          Hire @{draft.name === "" ? "…" : draft.name}
        </Button>
      </AgentForm>
    </Page>
  )
}
