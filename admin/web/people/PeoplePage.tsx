/** People with their roles, their ways in, and what programs come in with. */
import { Button, Group, Modal, NumberInput, Select, TextInput } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import type { PersonSummary, Role } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { meQuery, peopleQuery, queries, tokensQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Avatar } from "../ui/Avatar.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Copy } from "../ui/Markdown.tsx"
import { Page, Section } from "../ui/Page.tsx"
import { Rows } from "../ui/Rows.tsx"
import { complain } from "../ui/Toasts.tsx"

export const roleWords: ReadonlyArray<{ readonly value: Role; readonly label: string }> = [
  { value: "viewer", label: "Viewer: reads" },
  { value: "member", label: "Member: speaks, stops" },
  { value: "operator", label: "Operator: runs agents" },
  { value: "owner", label: "Owner: everything" },
]

const again = (key: string) => queries.invalidateQueries({ queryKey: [key] })
const attempt = (what: () => Promise<unknown>, key: string) => () =>
  void what().then(
    () => again(key),
    (error: unknown) => complain(error),
  )

export const PeoplePage = () => {
  const me = useQuery(meQuery).data!
  const [shown, setShown] = useState<{ readonly title: string; readonly text: string } | null>(null)
  const owner = me.role === "owner"
  return (
    <Page
      title="People"
      about="Nobody has a password: each person comes in by a link that works once. Roles hold in the API, whatever a page shows."
    >
      {owner ? <NewPerson show={setShown} /> : null}
      <Section title="Who may come in">
        <Asked of={useQuery(peopleQuery)}>
          {(people) => (
            <ul className="plain-rows panel">
              {people.length === 0 ? <li className="quiet">Only the command line was here yet.</li> : null}
              {people.map((person) => (
                <Row key={person.id} person={person} owner={owner} show={setShown} />
              ))}
            </ul>
          )}
        </Asked>
      </Section>
      {owner || me.role === "operator" ? <Tokens show={setShown} /> : null}
      <Modal opened={shown !== null} onClose={() => setShown(null)} title={shown?.title}>
        <p className="quiet">It is shown this once. Copy it now.</p>
        <div className="command">
          <code>{shown?.text}</code>
          <Copy text={shown?.text ?? ""} />
        </div>
      </Modal>
    </Page>
  )
}

type Show = (what: { readonly title: string; readonly text: string }) => void

const NewPerson = ({ show }: { readonly show: Show }) => {
  const [name, setName] = useState("")
  const [role, setRole] = useState<Role>("member")
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    try {
      const { link } = await call("POST /api/people", { body: { name: name.trim(), role } })
      show({ title: `${name.trim()}'s way in`, text: link })
      setName("")
      await again("people")
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Section title="Add a person">
      <form className="panel form" onSubmit={(event) => void submit(event)}>
        <div className="form-row">
          <TextInput
            label="Name"
            maxLength={60}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Select
            label="Role"
            data={[...roleWords]}
            value={role}
            onChange={(value) => setRole(value as Role)}
          />
        </div>
        <Group justify="flex-end">
          <Button type="submit" disabled={name.trim() === ""}>
            Add, and make a link
          </Button>
        </Group>
      </form>
    </Section>
  )
}

const Row = ({
  person,
  owner,
  show,
}: {
  readonly person: PersonSummary
  readonly owner: boolean
  readonly show: Show
}) => {
  const { id, name, role, seenAt, accounts, sessions } = person
  const at = { params: { id } }
  const linked = accounts.map((a) => `${a.door} ${a.user}`).join(", ")
  return (
    <li>
      <Avatar id={id} name={name} />
      <span className="grow">
        <b>{name}</b>
        <small>
          {seenAt === null ? "never came in" : `seen ${Format.ago(seenAt)}`}
          {sessions > 0 ? `, ${sessions} ${sessions === 1 ? "session" : "sessions"}` : ""}
          {linked === "" ? "" : ` · ${linked}`}
        </small>
      </span>
      {owner ? (
        <>
          <Select
            aria-label={`Role of ${name}`}
            size="xs"
            data={[...roleWords]}
            value={role}
            onChange={(value) =>
              attempt(
                () => call("PATCH /api/people/:id", { ...at, body: { role: value as Role } }),
                "people",
              )()
            }
          />
          <button
            type="button"
            className="text-button"
            onClick={attempt(
              () =>
                call("POST /api/people/:id/link", at).then(({ link }) =>
                  show({ title: `${name}'s way in`, text: link }),
                ),
              "people",
            )}
          >
            New link
          </button>
          {sessions > 0 ? (
            <button
              type="button"
              className="text-button"
              onClick={attempt(() => call("POST /api/people/:id/end", at), "people")}
            >
              End sessions
            </button>
          ) : null}
          <Confirm
            label="Remove"
            title={`Remove ${name}?`}
            act={() => call("DELETE /api/people/:id", at).then(() => again("people"))}
          >
            Their sessions and tokens end at once. What they said stays.
          </Confirm>
        </>
      ) : (
        <span className="badge">{role}</span>
      )}
    </li>
  )
}

const Tokens = ({ show }: { readonly show: Show }) => {
  const [name, setName] = useState("")
  const [role, setRole] = useState<Role>("viewer")
  const [days, setDays] = useState<number | string>(90)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    try {
      const body = { name: name.trim(), role, days: typeof days === "number" ? days : null }
      const { token } = await call("POST /api/tokens", { body })
      show({ title: `The token of ${name.trim()}`, text: token })
      setName("")
      await again("tokens")
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Section
      title="Tokens for programs"
      about="A program sends one as a bearer, and may do no more than its role and its person. The API is described at /api/openapi.json."
    >
      <form className="panel form" onSubmit={(event) => void submit(event)}>
        <div className="form-row">
          <TextInput
            label="What for"
            maxLength={60}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Select
            label="May"
            data={[...roleWords]}
            value={role}
            onChange={(value) => setRole(value as Role)}
          />
          <NumberInput
            label="Days"
            min={1}
            max={3650}
            placeholder="for ever"
            value={days}
            onChange={setDays}
          />
        </div>
        <Group justify="flex-end">
          <Button type="submit" variant="default" disabled={name.trim() === ""}>
            Make a token
          </Button>
        </Group>
      </form>
      <Asked of={useQuery(tokensQuery)}>
        {(tokens) => (
          <Rows
            label="Tokens"
            rows={tokens}
            keyOf={(t) => t.id}
            nothing="No program comes in with a token."
            columns={[
              { name: "What for", cell: (t) => <b>{t.name}</b> },
              { name: "Of", cell: (t) => t.person },
              { name: "May", cell: (t) => t.role },
              { name: "Used", cell: (t) => (t.usedAt === null ? "never" : Format.ago(t.usedAt)) },
              { name: "Ends", cell: (t) => (t.expiresAt === null ? "never" : Format.day(t.expiresAt)) },
              {
                name: "",
                right: true,
                cell: (t) => (
                  <Confirm
                    label="End"
                    title={`End the token of ${t.name}?`}
                    act={() =>
                      call("DELETE /api/tokens/:id", { params: { id: t.id } }).then(() => again("tokens"))
                    }
                  >
                    The program that uses it is refused from now on.
                  </Confirm>
                ),
              },
            ]}
          />
        )}
      </Asked>
    </Section>
  )
}
