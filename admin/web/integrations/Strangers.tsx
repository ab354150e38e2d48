/** Who asks to be let in at a door, and who was: a stranger gets a code there, and whoever knows them lets them in with it. */
import { Button, TextInput } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import { call } from "../data/Client.ts"
import { meQuery, pairingsQuery, queries } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Section } from "../ui/Page.tsx"
import { Rows } from "../ui/Rows.tsx"
import { complain, toast } from "../ui/Toasts.tsx"

const again = () => queries.invalidateQueries({ queryKey: ["pairings"] })

export const Strangers = () => {
  const role = useQuery(meQuery).data?.role
  return role === "owner" || role === "operator" ? <Book owner={role === "owner"} /> : null
}

const Book = ({ owner }: { readonly owner: boolean }) => {
  const [code, setCode] = useState("")
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    try {
      const { name, doorName } = await call("POST /api/pairings", { body: { code: code.trim() } })
      toast(`${name} may speak in ${doorName} now.`)
      setCode("")
      await again()
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Section
      title="Strangers"
      about="Who is on no allow-list and writes to a door gets a code there. Let in only whom you know."
    >
      {owner ? (
        <form className="inline-form" onSubmit={(event) => void submit(event)} autoComplete="off">
          <TextInput
            aria-label="The code they were given"
            placeholder="The code they were given"
            maxLength={40}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={code.trim() === ""}>
            Let them in
          </Button>
        </form>
      ) : null}
      <Asked of={useQuery(pairingsQuery)}>
        {(pairings) => (
          <Rows
            label="Strangers"
            rows={pairings}
            keyOf={(p) => `${p.door}/${p.user}`}
            nothing="Nobody asked to be let in."
            columns={[
              { name: "They call themselves", cell: (p) => <b>{p.name}</b> },
              { name: "Number", cell: (p) => <code>{p.user}</code> },
              { name: "At", cell: (p) => p.doorName },
              {
                name: "",
                cell: (p) => (
                  <span className="badge" data-tone={p.state === "in" ? "good" : "warn"}>
                    {p.state === "in" ? "let in" : "waits"}
                  </span>
                ),
              },
              { name: "Since", cell: (p) => <time dateTime={p.at}>{Format.ago(p.at)}</time> },
              {
                name: "Undo",
                right: true,
                cell: (p) =>
                  owner && p.state === "in" ? (
                    <Confirm
                      label="Put out"
                      title={`Put ${p.name} out?`}
                      act={() =>
                        call("DELETE /api/pairings/:door/:user", {
                          params: { door: p.door, user: p.user },
                        }).then(again)
                      }
                    >
                      They are a stranger again: nothing they write reaches an agent.
                    </Confirm>
                  ) : null,
              },
            ]}
          />
        )}
      </Asked>
    </Section>
  )
}
