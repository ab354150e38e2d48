/** Who works here: what they are for, what they do now, what they cost. */
import { Button } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { AgentDetail } from "../../api/index.ts"
import { agentDetailsQuery, meQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Avatar } from "../ui/Avatar.tsx"
import { Empty, Page } from "../ui/Page.tsx"

export const AgentsPage = () => {
  const role = useQuery(meQuery).data?.role
  const may = role === "operator" || role === "owner"
  return (
    <Page
      title="Agents"
      about="Each has a soul, a computer, a budget and its own mailbox. All hear every room they are in; one leads each answer."
      actions={
        may ? (
          <Button component={Link} to="/agents/new">
            Hire an agent
          </Button>
        ) : null
      }
    >
      <Asked of={useQuery(agentDetailsQuery)}>
        {(agents) =>
          agents.length === 0 ? (
            <Empty title="Nobody works here yet">Hire an agent here, or declare one in troupe.yaml.</Empty>
          ) : (
            <ul className="cards">
              {agents.map((agent) => (
                <li key={agent.id}>
                  <Card agent={agent} />
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Page>
  )
}

const Card = ({ agent }: { readonly agent: AgentDetail }) => {
  const [doing] = agent.doing
  const waits = doing?.state === "waiting"
  return (
    <Link to="/agents/$agent" params={{ agent: agent.id }} className="card agent-card">
      <span className="agent-head">
        <Avatar id={agent.id} name={agent.name} state={waits ? "waiting" : agent.state} size="large" />
        <span>
          <b className="agent-name">@{agent.name}</b>
          <span className="agent-title">{agent.title}</span>
        </span>
        <span className="badge" data-tone={waits ? "warn" : agent.state === "working" ? "good" : undefined}>
          {agent.kind === "outside" ? "outside" : waits ? "waits for you" : agent.state}
        </span>
      </span>
      <span className="agent-doing">
        {doing === undefined ? (
          agent.turns === 0 ? (
            "Has not worked yet"
          ) : (
            "Idle"
          )
        ) : (
          <>
            <b>{doing.title}</b> {doing.words}
          </>
        )}
      </span>
      <span className="agent-numbers">
        <span>
          <b>{Format.money(agent.spentToday)}</b> today
        </span>
        <span>
          <b>{agent.turns}</b> {agent.turns === 1 ? "turn" : "turns"}
        </span>
        <span>
          <b>{agent.medianMs === null ? "–" : Format.duration(agent.medianMs)}</b> usually
        </span>
      </span>
    </Link>
  )
}
