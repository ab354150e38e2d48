/** The live tree of actors: what each does, what waits for it, what it crashed of. */
import { useQuery } from "@tanstack/react-query"
import type { ActorView, MemberSummary } from "../../api/index.ts"
import { actorsQuery, agentsQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Figures } from "../ui/Figures.tsx"
import { Page, Section } from "../ui/Page.tsx"

export const ActorsPage = () => {
  const agents = useQuery(agentsQuery).data ?? []
  return (
    <Page
      title="Actors"
      about="Each agent, conversation and shell is an actor: its own mailbox, its own crashes. One that hangs delays no other."
    >
      <Asked of={useQuery({ ...actorsQuery, refetchInterval: 2000 })}>
        {({ actors, handled, crashes, restarts, deadLetters }) => (
          <>
            <Figures
              of={[
                { label: "Alive", value: actors.length },
                { label: "Messages handled", value: Format.count(handled), about: "since the start" },
                {
                  label: "Crashes",
                  value: crashes,
                  about: `${restarts} restarts`,
                  tone: crashes > 0 ? "warn" : undefined,
                },
                { label: "Dead letters", value: deadLetters, tone: deadLetters > 0 ? "warn" : undefined },
              ]}
            />
            <Section title="The tree">
              <ul className="tree">
                {actors.map((actor) => (
                  <Row key={actor.path} actor={actor} agents={agents} />
                ))}
              </ul>
            </Section>
          </>
        )}
      </Asked>
    </Page>
  )
}

const Row = ({
  actor,
  agents,
}: {
  readonly actor: ActorView
  readonly agents: ReadonlyArray<MemberSummary>
}) => {
  const parts = actor.path.split("/").filter((part) => part !== "")
  const own = parts.at(-1) ?? actor.path
  const name = agents.find(({ id }) => own.includes(id))?.name
  return (
    <li data-state={actor.state}>
      <div className="tree-row" style={{ paddingLeft: `${(parts.length - 1) * 1.4 + 0.9}rem` }}>
        <i className="dot" data-state={actor.state} />
        <code>{own}</code>
        {name === undefined ? null : <b>@{name}</b>}
        <span className="tree-state">
          {actor.state}
          {actor.turn ? ", in a turn" : ""}
        </span>
        <span className="tree-box" data-alarm={actor.mailbox > actor.capacity / 2 || undefined}>
          {actor.mailbox} of {actor.capacity} waiting
        </span>
        {actor.crashes > 0 ? (
          <span data-alarm>
            {actor.crashes} {actor.crashes === 1 ? "crash" : "crashes"}
          </span>
        ) : null}
      </div>
      {actor.lastCrash === null ? null : (
        <details className="crash">
          <summary>Last crash, {Format.ago(actor.lastCrash.at)}</summary>
          <pre tabIndex={0}>{actor.lastCrash.cause}</pre>
        </details>
      )}
    </li>
  )
}
