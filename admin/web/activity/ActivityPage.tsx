/** What needs a person now, words anywhere, and who changed what. */
import { Tabs, TextInput } from "@mantine/core"
import { useDebouncedValue } from "@mantine/hooks"
import { IconSearch } from "@tabler/icons-react"
import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import type { AuditEntry, Waiting } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { auditQuery, meQuery, queries, waitingQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Avatar } from "../ui/Avatar.tsx"
import { Empty, Page } from "../ui/Page.tsx"
import { Rows } from "../ui/Rows.tsx"
import { complain, toast } from "../ui/Toasts.tsx"

export const ActivityPage = () => {
  const waiting = useQuery(waitingQuery)
  const role = useQuery(meQuery).data?.role
  return (
    <Page title="Activity" about="What waits for a person, words in all rooms, and who changed what.">
      <Tabs defaultValue="waiting" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="waiting">
            Waiting for you
            {waiting.data === undefined || waiting.data.length === 0 ? "" : ` (${waiting.data.length})`}
          </Tabs.Tab>
          <Tabs.Tab value="search">Search</Tabs.Tab>
          {role === "operator" || role === "owner" ? <Tabs.Tab value="audit">Audit log</Tabs.Tab> : null}
        </Tabs.List>
        <Tabs.Panel value="waiting">
          <Asked of={waiting}>
            {(all) =>
              all.length === 0 ? (
                <Empty title="Nothing needs you">
                  When an agent asks for permission, for money, or was told to wait, it stands here and in its
                  room.
                </Empty>
              ) : (
                <ul className="stack">
                  {all.map((one) => (
                    <Ask key={one.turn} of={one} />
                  ))}
                </ul>
              )
            }
          </Asked>
        </Tabs.Panel>
        <Tabs.Panel value="search">
          <Search />
        </Tabs.Panel>
        <Tabs.Panel value="audit">
          <Audit />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

const choices = {
  approval: [
    { label: "Approve", verb: "approve", solid: true },
    { label: "Refuse", verb: "refuse", solid: false },
  ],
  money: [
    { label: "Spend $1.00 more", verb: "spend", solid: true },
    { label: "Stop", verb: "stop", solid: false },
  ],
  wait: [
    { label: "Continue", verb: "continue", solid: true },
    { label: "Stop", verb: "stop", solid: false },
  ],
} as const

const titles: Readonly<Record<string, string>> = {
  approval: "asks for permission",
  money: "needs more money",
  wait: "waits, as it was told",
}

const Ask = ({ of }: { readonly of: Waiting }) => {
  const role = useQuery(meQuery).data?.role ?? "viewer"
  const [busy, setBusy] = useState(false)
  const say = async (
    label: string,
    verb: (typeof choices)["approval" | "money" | "wait"][number]["verb"],
  ) => {
    setBusy(true)
    try {
      const { outcome } = await call("POST /api/rooms/:id/say", {
        params: { id: of.room },
        body: { id: crypto.randomUUID(), text: label, order: { verb, turn: of.turn as never } },
      })
      if (outcome !== null) toast(outcome.charAt(0).toUpperCase() + outcome.slice(1))
      await queries.invalidateQueries({ queryKey: ["waiting"] })
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  return (
    <li className="panel">
      <header className="panel-head">
        <Avatar id={of.agent} name={of.name} state="waiting" />
        <div>
          <h2>
            @{of.name} {titles[of.reason] ?? "waits"}
          </h2>
          <p>
            in{" "}
            <Link to="/rooms/$room" params={{ room: of.room }}>
              {of.title}
            </Link>{" "}
            ({of.doorName}), {Format.ago(of.since)}
          </p>
        </div>
      </header>
      {of.asks.map((ask) => (
        <pre key={ask} className="asked" tabIndex={0}>
          {ask}
        </pre>
      ))}
      {role === "viewer" ? null : (
        <div className="actions">
          {(choices[of.reason as "approval"] ?? choices.wait).map(({ label, verb, solid }) => (
            <button
              key={verb}
              type="button"
              disabled={busy}
              className={solid ? "solid-button" : "quiet-button"}
              onClick={() => void say(label, verb)}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </li>
  )
}

const Search = () => {
  const [text, setText] = useState("")
  const [q] = useDebouncedValue(text.trim(), 200)
  const found = useQuery({
    queryKey: ["search", q],
    queryFn: () => call("GET /api/search", { query: { q } }).then((a) => a.found),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
  })
  return (
    <>
      <TextInput
        size="md"
        mb="md"
        aria-label="Search in all rooms"
        placeholder='Words in all rooms; "exact words" in quotes, -without'
        leftSection={<IconSearch size={17} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {q.length < 2 ? null : (
        <Asked of={found}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="Nobody said that">Try fewer words, or a part of one.</Empty>
            ) : (
              <ul className="found">
                {all.map((one) => (
                  <li key={`${one.room}/${one.pos}`}>
                    <Link to="/rooms/$room" params={{ room: one.room }}>
                      <b>{one.author}</b> in {one.title}
                      <time dateTime={one.at} title={Format.fullTime(one.at)}>
                        {Format.ago(one.at)}
                      </time>
                      <p>{one.text}</p>
                    </Link>
                  </li>
                ))}
              </ul>
            )
          }
        </Asked>
      )}
    </>
  )
}

/** What was done, in words, where the name of the endpoint does not say it. */
const deeds: Readonly<Record<string, string>> = {
  "people.enter": "came in",
  "people.add": "added a person",
  "people.change": "changed a person",
  "people.remove": "removed a person",
  "people.invite": "made a way in",
  "people.end": "ended sessions",
  "people.newToken": "made a token",
  "people.dropToken": "ended a token",
  "agents.add": "hired an agent",
  "agents.change": "changed an agent",
  "agents.remove": "let an agent go",
  "rooms.open": "opened a room",
  "rooms.stop": "stopped a turn",
  "insight.setSecret": "set a secret",
  "insight.dropSecret": "deleted a secret",
  "insight.checkpoint": "kept a computer's files",
  "insight.restore": "restored a computer",
  "system.apply": "applied troupe.yaml",
  "system.link": "made a link",
}

const Audit = () => (
  <Asked of={useQuery(auditQuery)}>
    {({ entries, broken }) => (
      <>
        <p className={broken === null ? "quiet" : "trouble"}>
          {broken === null
            ? "Every entry follows from those before it: nothing was changed or taken away."
            : `Entry ${broken} does not follow from those before it: somebody changed the log.`}
        </p>
        <Rows
          label="Audit log"
          rows={entries}
          keyOf={(e: AuditEntry) => String(e.n)}
          nothing="Nobody changed anything yet."
          columns={[
            {
              name: "When",
              cell: (e) => (
                <time dateTime={e.at} title={Format.fullTime(e.at)}>
                  {Format.ago(e.at)}
                </time>
              ),
            },
            { name: "Who", cell: (e) => <b>{e.who.name}</b> },
            { name: "What", cell: (e) => deeds[e.action] ?? e.action },
            {
              name: "Detail",
              wide: true,
              cell: (e) => (
                <code>
                  {[...Object.values(e.subject), e.detail]
                    .filter((x) => x !== null)
                    .map((x) => (typeof x === "string" ? x : JSON.stringify(x)))
                    .join(" ")}
                </code>
              ),
            },
            { name: "From", cell: (e) => e.who.via },
          ]}
        />
      </>
    )}
  </Asked>
)
