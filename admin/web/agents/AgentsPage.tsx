/** Who works here: what they are for, and what they do now. */
import { useQuery } from "@tanstack/react-query"
import { agentsQuery } from "../data/Queries.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { Empty, Page } from "../ui/Page.tsx"

export const AgentsPage = () => {
  const agents = useQuery(agentsQuery).data
  return (
    <Page title="Agents" about="Who works here, and what they do now.">
      {agents?.length === 0 ? (
        <Empty title="Nobody works here yet">Add an agent to troupe.yaml.</Empty>
      ) : null}
      <ul className="cards">
        {agents?.map((agent) => (
          <li key={agent.id} className="card">
            <Avatar id={agent.id} name={agent.name} state={agent.state} size="large" />
            <div>
              <h2>@{agent.name}</h2>
              <p>{agent.title}</p>
            </div>
            <span className="state" data-state={agent.state}>
              {agent.state}
            </span>
          </li>
        ))}
      </ul>
    </Page>
  )
}
