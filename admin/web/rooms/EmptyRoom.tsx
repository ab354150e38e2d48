/** A room in which nothing was said yet: what to try first. */
import { Avatar } from "../ui/Avatar.tsx"
import { useHere } from "./RoomContext.ts"

export const EmptyRoom = () => {
  const { agents, draft } = useHere()
  const [first, second] = agents
  const idea = (label: string, text: string) => (
    <button
      type="button"
      className="idea"
      onClick={() => {
        draft.write({ text })
        document.getElementById("words")?.focus()
      }}
    >
      {label}
    </button>
  )
  if (first === undefined)
    return (
      <div className="empty" id="empty">
        <h2>Nobody works here yet</h2>
        <p>Add an agent on the page Agents, or in troupe.yaml.</p>
      </div>
    )
  return (
    <div className="empty" id="empty">
      <div className="faces">
        {agents.slice(0, 6).map(({ id, name }) => (
          <Avatar key={id} id={id} name={name} size="large" />
        ))}
      </div>
      <h2>Say hello to @{first.name}</h2>
      <p>
        Name an agent with @ to ask it directly. Without a name, whoever fits best answers. Agents work on
        their own computers and show their receipts.
      </p>
      <div className="ideas">
        {idea("Say hello", `@${first.name} hello, who are you?`)}
        {idea("run: ls -la", `@${first.name} run: ls -la`)}
        {second === undefined
          ? null
          : idea(`Ask @${second.name}`, `@${second.name} what would you look at first in a new project?`)}
      </div>
    </div>
  )
}
