/** Secrets: which there are. They can be set and replaced, and are never shown again. */
import { Button, Group, PasswordInput, TextInput } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import { call } from "../data/Client.ts"
import { meQuery, queries, secretsQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Page, Section } from "../ui/Page.tsx"
import { Rows } from "../ui/Rows.tsx"
import { complain, toast } from "../ui/Toasts.tsx"

const again = () => queries.invalidateQueries({ queryKey: ["secrets"] })

export const SecretsPage = () => {
  const owner = useQuery(meQuery).data?.role === "owner"
  return (
    <Page
      title="Secrets"
      about="Sealed with AES-256-GCM under your key, each bound to its own row. Nobody, not even you, can read one again."
    >
      {owner ? <NewSecret /> : null}
      <Section title="What is kept">
        <Asked of={useQuery(secretsQuery)}>
          {(secrets) => (
            <Rows
              label="Secrets"
              rows={secrets}
              keyOf={(s) => `${s.owner}/${s.name}`}
              nothing="Nothing is kept. Tokens of integrations come here from troupe.yaml."
              columns={[
                { name: "Name", cell: (s) => <code>{s.name}</code> },
                { name: "Of", cell: (s) => s.ownerName },
                { name: "Ends in", cell: (s) => <code>{s.lastFour}</code> },
                {
                  name: "Changed",
                  cell: (s) => (
                    <time dateTime={s.changedAt} title={Format.fullTime(s.changedAt)}>
                      {Format.ago(s.changedAt)}
                    </time>
                  ),
                },
                {
                  name: "",
                  right: true,
                  cell: (s) =>
                    owner && s.owner.startsWith("company:") ? (
                      <Confirm
                        label="Delete"
                        title={`Delete ${s.name}?`}
                        act={async () => {
                          await call("DELETE /api/secrets/:name", { params: { name: s.name } })
                          await again()
                        }}
                      >
                        Whatever uses it stops working.
                      </Confirm>
                    ) : null,
                },
              ]}
            />
          )}
        </Asked>
      </Section>
    </Page>
  )
}

const NewSecret = () => {
  const [name, setName] = useState("")
  const [value, setValue] = useState("")
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    try {
      const { lastFour } = await call("PUT /api/secrets/:name", { params: { name }, body: { value } })
      toast(`${name} is kept; it ends in ${lastFour}.`)
      setName("")
      setValue("")
      await again()
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Section title="Set a secret" about="The same name again replaces it.">
      <form className="panel form" onSubmit={(event) => void submit(event)} autoComplete="off">
        <div className="form-row">
          <TextInput
            label="Name"
            placeholder="SEARCH_KEY"
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <PasswordInput
            label="Value"
            autoComplete="new-password"
            value={value}
            onChange={(e) => setValue(e.currentTarget.value)}
          />
        </div>
        <Group justify="flex-end">
          <Button type="submit" disabled={!/^[A-Za-z][\w.-]{0,60}$/.test(name) || value === ""}>
            Keep it
          </Button>
        </Group>
      </form>
    </Section>
  )
}
