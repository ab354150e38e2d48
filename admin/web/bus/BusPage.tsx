/** The air: the stream, who hears it and how far behind they are, what is stored where, and how to listen from a shell. */
import { TextInput } from "@mantine/core"
import { IconSearch } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import type { BusView } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { busQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Figures } from "../ui/Figures.tsx"
import { CodeBlock, Copy } from "../ui/Markdown.tsx"
import { Page, Section } from "../ui/Page.tsx"
import { Rows } from "../ui/Rows.tsx"

export const BusPage = () => (
  <Page
    title="Bus"
    about="Every word travels over NATS. Postgres is the truth; the bus may lose everything and no word is lost."
  >
    <Asked of={useQuery(busQuery)}>{(bus) => <Board bus={bus} />}</Asked>
  </Page>
)

const Board = ({ bus }: { readonly bus: BusView }) => (
  <>
    <Figures
      of={[
        {
          label: "Connection",
          value: bus.connected ? "connected" : "broken",
          about: bus.server,
          tone: bus.connected ? "good" : "bad",
        },
        {
          label: "Stored",
          value: Format.count(bus.messages),
          about: `${Format.bytes(bus.bytes)} in ${bus.stream}`,
        },
        {
          label: "Not on the bus yet",
          value: bus.unpublished,
          tone: bus.unpublished > 0 ? "warn" : undefined,
          about: "committed events",
        },
        {
          label: "Not decided yet",
          value: bus.due,
          tone: bus.due > 0 ? "warn" : undefined,
          about: "words that wait for an agent",
        },
      ]}
    />
    <Section
      title="Who hears"
      about="One durable consumer for each agent and integration. What is behind waits; nothing is lost."
    >
      <Rows
        label="Consumers"
        rows={bus.durables}
        keyOf={(d) => d.name}
        nothing="Nobody hears yet."
        columns={[
          { name: "Who", cell: (d) => <b>{d.who}</b> },
          { name: "Filter", wide: true, cell: (d) => <code>{d.filter}</code> },
          { name: "Behind", right: true, cell: (d) => <Alarm n={d.behind} /> },
          { name: "Unsettled", right: true, cell: (d) => <Alarm n={d.unsettled} /> },
          { name: "Redelivered", right: true, cell: (d) => <Alarm n={d.redelivered} /> },
        ]}
      />
    </Section>
    <Subjects bus={bus} />
    <Section
      title="Listen from a shell"
      about="The inspector may read everything and publish nothing; npx troupe inspect names its context file."
    >
      <div className="commands">
        {[
          `nats sub 'troupe.${bus.workspace}.thread.>'`,
          `nats sub 'troupe.${bus.workspace}.live.>'`,
          `nats stream view ${bus.stream}`,
          `nats consumer report ${bus.stream}`,
        ].map((command) => (
          <div key={command} className="command">
            <code>{command}</code>
            <Copy text={command} />
          </div>
        ))}
      </div>
    </Section>
  </>
)

const Alarm = ({ n }: { readonly n: number }) => (
  <span data-alarm={n > 0 || undefined}>{Format.count(n)}</span>
)

const Subjects = ({ bus }: { readonly bus: BusView }) => {
  const [filter, setFilter] = useState("")
  const [open, setOpen] = useState<string | null>(null)
  const words = filter.toLowerCase()
  const shown = bus.subjects
    .filter((s) => `${s.subject} ${s.room ?? ""}`.toLowerCase().includes(words))
    .slice(0, 100)
  return (
    <Section
      title="Subjects"
      about="What is stored, the most first. Open one for its newest message."
      actions={
        <TextInput
          size="xs"
          aria-label="Filter subjects"
          placeholder="Filter"
          leftSection={<IconSearch size={14} />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      }
    >
      <ul className="subjects">
        {shown.map((s) => (
          <li key={s.subject}>
            <button
              type="button"
              aria-expanded={open === s.subject}
              onClick={() => setOpen(open === s.subject ? null : s.subject)}
            >
              <b>{s.room ?? "a room"}</b>
              <code>{s.subject.split(".").at(-1)}</code>
              <span className="subject">{s.subject}</span>
              <span className="to-right">{Format.count(s.count)}</span>
            </button>
            {open === s.subject ? <Newest subject={s.subject} /> : null}
          </li>
        ))}
        {shown.length === 0 ? (
          <li className="quiet">Nothing is stored {filter === "" ? "yet" : "under such a subject"}.</li>
        ) : null}
      </ul>
    </Section>
  )
}

const Newest = ({ subject }: { readonly subject: string }) => (
  <Asked
    of={useQuery({
      queryKey: ["newest", subject],
      queryFn: () => call("GET /api/bus/newest", { query: { subject } }),
      staleTime: 0,
    })}
  >
    {({ seq, at, payload }) => (
      <CodeBlock lang={`message ${seq}, ${Format.fullTime(at)}`} text={pretty(payload)} />
    )}
  </Asked>
)

const pretty = (payload: string): string => {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}
