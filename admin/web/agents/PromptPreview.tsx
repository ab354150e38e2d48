/** Exactly what the model is told before the first word. */
import { useDebouncedValue } from "@mantine/hooks"
import { keepPreviousData, useQuery } from "@tanstack/react-query"
import type { AgentDraft } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import { Asked } from "../ui/Asked.tsx"

export const PromptPreview = ({ draft }: { readonly draft: AgentDraft }) => {
  const [calm] = useDebouncedValue(draft, 300)
  const preview = useQuery({
    queryKey: ["preview", calm],
    queryFn: () => call("POST /api/agents/preview", { body: calm }),
    placeholderData: keepPreviousData,
    retry: false,
  })
  return (
    <Asked of={preview}>
      {({ model, system, tools }) => (
        <div className="prompt">
          <p className="quiet">
            To <b>{model}</b>, in {system.length} parts that stay the same from turn to turn, so that they are
            read from the cache.
          </p>
          {system.map((part, i) => (
            <pre key={i} tabIndex={0}>
              {part}
            </pre>
          ))}
          <p className="quiet">
            {tools.length === 0
              ? "No tools."
              : `Tools: ${tools.map((t) => (t.permission === "allow" ? t.name : `${t.name} (${t.permission})`)).join(", ")}.`}
          </p>
        </div>
      )}
    </Asked>
  )
}
