/** One agent: what it does, why it decided as it did, what it is told, what it costs; and changing it. */
import { Button, Tabs } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { useState } from "react"
import type { AgentDetail, AgentDraft } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { agentDetailsQuery, meQuery, queries } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { verdictWords } from "../rooms/Why.tsx"
import { Asked } from "../ui/Asked.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Figures } from "../ui/Figures.tsx"
import { CodeBlock } from "../ui/Markdown.tsx"
import { Empty, Page } from "../ui/Page.tsx"
import { complain, toast } from "../ui/Toasts.tsx"
import { AgentForm } from "./AgentForm.tsx"
import { draftOf, yamlOf } from "./AgentYaml.ts"
import { PromptPreview } from "./PromptPreview.tsx"

export const AgentPage = () => {
  const { agent: id } = useParams({ strict: false })
  return (
    <Asked of={useQuery(agentDetailsQuery)}>
      {(agents) => {
        const agent = agents.find((one) => one.id === id)
        return agent === undefined ? (
          <Page title="Not here">
            <Empty title="Nobody works here by this id">
              <Link to="/agents">All agents</Link>
            </Empty>
          </Page>
        ) : (
          <Detail key={agent.id} agent={agent} />
        )
      }}
    </Asked>
  )
}

const Detail = ({ agent }: { readonly agent: AgentDetail }) => {
  const role = useQuery(meQuery).data?.role
  const navigate = useNavigate()
  const may = agent.origin === "page" && (role === "operator" || role === "owner")
  const remove = async () => {
    await call("DELETE /api/agents/:id", { params: { id: agent.id } })
    await queries.invalidateQueries({ queryKey: ["agents"] })
    toast(`@${agent.name} does not work here any more.`)
    await navigate({ to: "/agents" })
  }
  return (
    <Page
      title={`@${agent.name}`}
      about={agent.title}
      actions={
        may ? (
          <Confirm label="Let go" title={`Let @${agent.name} go?`} act={remove}>
            It hears nothing from now on. What it said stays, and its computer is swept.
          </Confirm>
        ) : null
      }
    >
      <Figures
        of={[
          {
            label: "Now",
            value:
              agent.doing.length === 0 ? "idle" : agent.doing[0]!.state === "waiting" ? "waits" : "working",
            tone: agent.doing.length === 0 ? undefined : "good",
          },
          {
            label: "Today",
            value: Format.money(agent.spentToday),
            about: `${Format.money(agent.spent)} in thirty days`,
          },
          {
            label: "Turns",
            value: agent.turns,
            about: `${agent.failed} failed or parked`,
            tone: agent.failed > 0 ? "warn" : undefined,
          },
          {
            label: "An answer takes",
            value: agent.medianMs === null ? "–" : Format.duration(agent.medianMs),
            about:
              agent.cacheShare === null
                ? undefined
                : `${Math.round(agent.cacheShare * 100)}% of input from cache`,
          },
        ]}
      />
      <Tabs defaultValue="work" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="work">Work</Tabs.Tab>
          <Tabs.Tab value="identity">Identity</Tabs.Tab>
          <Tabs.Tab value="prompt">What it is told</Tabs.Tab>
          <Tabs.Tab value="yaml">YAML</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="work">
          <Work agent={agent} />
        </Tabs.Panel>
        <Tabs.Panel value="identity">{may ? <Edit agent={agent} /> : <Identity agent={agent} />}</Tabs.Panel>
        <Tabs.Panel value="prompt">
          <PromptPreview draft={draftOf(agent)} />
        </Tabs.Panel>
        <Tabs.Panel value="yaml">
          <CodeBlock lang="troupe.yaml" text={yamlOf(draftOf(agent))} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

const Work = ({ agent }: { readonly agent: AgentDetail }) => (
  <>
    {agent.doing.length === 0 ? null : (
      <ul className="plain-rows panel">
        {agent.doing.map((turn) => (
          <li key={turn.turn}>
            <span className="badge" data-tone={turn.state === "waiting" ? "warn" : "good"}>
              {turn.state}
            </span>
            <Link to="/rooms/$room" params={{ room: turn.room }} className="grow">
              <b>{turn.title}</b> {turn.words}
            </Link>
            <time dateTime={turn.since}>{Format.ago(turn.since)}</time>
          </li>
        ))}
      </ul>
    )}
    <h3 className="small-head">Recent decisions</h3>
    <Asked
      of={useQuery({
        queryKey: ["agents", agent.id, "decisions"],
        queryFn: () =>
          call("GET /api/agents/:id/decisions", { params: { id: agent.id } }).then((a) => a.decisions),
      })}
    >
      {(decisions) =>
        decisions.length === 0 ? (
          <Empty title="It decided nothing yet">
            Name it with <code>@{agent.name}</code> in a room.
          </Empty>
        ) : (
          <ul className="plain-rows panel">
            {decisions.map((decision, i) => (
              <li key={i}>
                <span className="badge" data-tone={decision.verdict === "lead" ? "good" : undefined}>
                  {verdictWords(decision.verdict)}
                </span>
                <span className="grow">
                  <Link to="/rooms/$room" params={{ room: decision.room }}>
                    {decision.title}
                  </Link>{" "}
                  {decision.words}
                  <small>{decision.reason}</small>
                </span>
                <time dateTime={decision.at} title={Format.fullTime(decision.at)}>
                  {Format.ago(decision.at)}
                </time>
              </li>
            ))}
          </ul>
        )
      }
    </Asked>
  </>
)

const Identity = ({ agent }: { readonly agent: AgentDetail }) => (
  <>
    {agent.origin === "file" ? (
      <p className="quiet">
        Declared in <code>troupe.yaml</code>: change it there, then run <code>npx troupe apply</code>.
      </p>
    ) : null}
    <dl className="facts">
      {(
        [
          ["Title", agent.title],
          ["Model", agent.model ?? "the model of this installation"],
          ["Integrations", agent.integrations.join(", ")],
          ["Interests", agent.interests.join(", ") || "none"],
          ["While it works", agent.steering ?? "as the integration says"],
          [
            "Must ask for",
            Object.entries(agent.permissions)
              .flatMap(([tool, p]) => (p === "ask" ? [tool] : []))
              .join(", ") || "nothing",
          ],
          [
            "May not use",
            Object.entries(agent.permissions)
              .flatMap(([tool, p]) => (p === "deny" ? [tool] : []))
              .join(", ") || "nothing is denied",
          ],
        ] as const
      ).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
    <h3 className="small-head">Soul</h3>
    <pre className="soul" tabIndex={0}>
      {agent.soul}
    </pre>
  </>
)

const Edit = ({ agent }: { readonly agent: AgentDetail }) => {
  const [draft, setDraft] = useState<AgentDraft>(draftOf(agent))
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    const before = draftOf(agent)
    try {
      await call("PUT /api/agents/:id", { params: { id: agent.id }, body: draft })
      await queries.invalidateQueries({ queryKey: ["agents"] })
      toast("Saved. The next answer follows it.", () => {
        setDraft(before)
        void call("PUT /api/agents/:id", { params: { id: agent.id }, body: before }).then(
          () => queries.invalidateQueries({ queryKey: ["agents"] }),
          (error: unknown) => complain(error),
        )
      })
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  return (
    <AgentForm draft={draft} change={setDraft}>
      <Button
        loading={busy}
        disabled={JSON.stringify(draft) === JSON.stringify(draftOf(agent))}
        onClick={() => void save()}
      >
        Save
      </Button>
    </AgentForm>
  )
}
