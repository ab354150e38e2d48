/** The agents' computers: their shells, files and kept states. */
import { Button, Tabs, TextInput } from "@mantine/core"
import { IconArrowUp, IconFile, IconFolder } from "@tabler/icons-react"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import type { SandboxView } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { meQuery, sandboxesQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Avatar } from "../ui/Avatar.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Empty, Page } from "../ui/Page.tsx"
import { Terminal } from "../ui/Terminal.tsx"
import { complain, toast } from "../ui/Toasts.tsx"

export const SandboxesPage = () => (
  <Page
    title="Sandboxes"
    about="Each agent has a computer of its own, without your files, environment or network unless you allow it."
  >
    <Asked of={useQuery(sandboxesQuery)}>
      {(sandboxes) =>
        sandboxes.length === 0 ? (
          <Empty title="No computer was needed yet">
            An agent gets its computer with the first command. Try <code>@ada run: uname -a</code> in a room.
          </Empty>
        ) : (
          <div className="stack">
            {sandboxes.map((sandbox) => (
              <Computer key={sandbox.machine} sandbox={sandbox} />
            ))}
          </div>
        )
      }
    </Asked>
  </Page>
)

const Computer = ({ sandbox }: { readonly sandbox: SandboxView }) => {
  const { machine, agent, sessions } = sandbox
  const may = ["operator", "owner"].includes(useQuery(meQuery).data?.role ?? "")
  return (
    <article className="panel">
      <header className="panel-head">
        <Avatar id={machine} name={agent ?? "?"} />
        <div>
          <h2>{agent === null ? "Orphan" : `@${agent}`}</h2>
          <code>{machine}</code>
        </div>
        {agent === null ? (
          <span className="badge" data-tone="warn">
            no agent; swept soon
          </span>
        ) : null}
      </header>
      <Tabs defaultValue="shells" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="shells">Shells</Tabs.Tab>
          {may ? <Tabs.Tab value="files">Files</Tabs.Tab> : null}
          <Tabs.Tab value="kept">Kept states</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="shells">
          {sessions.length === 0 ? <p className="quiet">No shell is open.</p> : null}
          <ul className="plain-rows">
            {sessions.map((s) => (
              <li key={s.session}>
                <Link to="/rooms/$room" params={{ room: s.room }}>
                  {s.title}
                </Link>
                <code>{s.cwd}</code>
                <span>{s.state}</span>
                <time dateTime={s.usedAt} title={Format.fullTime(s.usedAt)}>
                  used {Format.ago(s.usedAt)}
                </time>
              </li>
            ))}
          </ul>
        </Tabs.Panel>
        <Tabs.Panel value="files">
          <Files machine={machine} />
        </Tabs.Panel>
        <Tabs.Panel value="kept">
          <Kept machine={machine} may={may} />
        </Tabs.Panel>
      </Tabs>
    </article>
  )
}

const home = "/home/sprite"
const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/"

const Files = ({ machine }: { readonly machine: string }) => {
  const [path, setPath] = useState(home)
  const [file, setFile] = useState<string | null>(null)
  const files = useQuery({
    queryKey: ["files", machine, path],
    queryFn: () =>
      call("GET /api/sandboxes/:machine/files", { params: { machine }, query: { path } }).then(
        (a) => a.entries,
      ),
  })
  const within = (name: string) => `${path === "/" ? "" : path}/${name}`
  return (
    <div className="files-pane">
      <div className="files-path">
        <button
          type="button"
          className="icon-button"
          aria-label="Up"
          disabled={path === "/"}
          onClick={() => setPath(parentOf(path))}
        >
          <IconArrowUp size={16} />
        </button>
        <code>{file ?? path}</code>
        {file === null ? null : (
          <button type="button" className="text-button" onClick={() => setFile(null)}>
            Back to the directory
          </button>
        )}
      </div>
      {file === null ? (
        <Asked of={files}>
          {(entries) => (
            <ul className="file-list">
              {entries.length === 0 ? <li className="quiet">Nothing is here.</li> : null}
              {entries.map((entry) => (
                <li key={entry.name}>
                  <button
                    type="button"
                    onClick={() =>
                      entry.type === "directory" ? setPath(within(entry.name)) : setFile(within(entry.name))
                    }
                  >
                    {entry.type === "directory" ? <IconFolder size={16} /> : <IconFile size={16} />}
                    <span>{entry.name}</span>
                    <small>{entry.type === "directory" ? "" : Format.bytes(entry.size)}</small>
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Asked>
      ) : (
        <FileText machine={machine} path={file} />
      )}
    </div>
  )
}

const FileText = ({ machine, path }: { readonly machine: string; readonly path: string }) => (
  <Asked
    of={useQuery({
      queryKey: ["file", machine, path],
      queryFn: () => call("GET /api/sandboxes/:machine/file", { params: { machine }, query: { path } }),
    })}
  >
    {({ text, cut }) => (
      <>
        <Terminal text={text} />
        {cut ? <p className="quiet">Only the beginning is shown.</p> : null}
      </>
    )}
  </Asked>
)

const Kept = ({ machine, may }: { readonly machine: string; readonly may: boolean }) => {
  const [comment, setComment] = useState("")
  const queries = useQueryClient()
  const key = ["kept", machine]
  const kept = useQuery({
    queryKey: key,
    queryFn: () => call("GET /api/sandboxes/:machine/checkpoints", { params: { machine } }),
  })
  const keep = async () => {
    try {
      await call("POST /api/sandboxes/:machine/checkpoints", { params: { machine }, body: { comment } })
      setComment("")
      await queries.invalidateQueries({ queryKey: key })
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Asked of={kept}>
      {({ checkpoints, network }) => (
        <>
          {may ? (
            <form
              className="inline-form"
              onSubmit={(event) => {
                event.preventDefault()
                void keep()
              }}
            >
              <TextInput
                aria-label="What this state is"
                placeholder="What this state is"
                value={comment}
                onChange={(event) => setComment(event.currentTarget.value)}
              />
              <Button type="submit" variant="default">
                Keep the files as they are
              </Button>
            </form>
          ) : null}
          <ul className="plain-rows">
            {checkpoints.map((c) => (
              <li key={c.id}>
                <code>{c.id}</code>
                <span>{c.comment}</span>
                <time dateTime={c.at}>{Format.fullTime(c.at)}</time>
                {may ? (
                  <Confirm
                    label="Restore"
                    title={`Restore ${c.id}?`}
                    act={async () => {
                      await call("POST /api/sandboxes/:machine/checkpoints/:id/restore", {
                        params: { machine, id: c.id },
                      })
                      toast(`The files are as they were at ${c.id}.`)
                    }}
                  >
                    All files are put back as they were, and every shell ends.
                  </Confirm>
                ) : null}
              </li>
            ))}
            {checkpoints.length === 0 ? <li className="quiet">Nothing was kept yet.</li> : null}
          </ul>
          <p className="quiet">
            {network.length === 0
              ? "It reaches nothing outside."
              : `It reaches: ${network.map((rule) => (rule.action === "allow" ? rule.domain : `not ${rule.domain}`)).join(", ")}.`}
          </p>
        </>
      )}
    </Asked>
  )
}
