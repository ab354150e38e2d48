/** What runs where. */
import { useQuery } from "@tanstack/react-query"
import { statusQuery } from "../data/Queries.ts"
import { Page, Section } from "../ui/Page.tsx"

export const SettingsPage = () => {
  const status = useQuery(statusQuery).data
  return (
    <Page title="Settings">
      <Section title="What runs where">
        <dl className="facts">
          {status?.parts.map((part) => (
            <div key={part.name}>
              <dt>{part.name}</dt>
              <dd>{part.where}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title="Integrations">
        <dl className="facts">
          {status?.integrations.map((one) => (
            <div key={one.name}>
              <dt>{one.name}</dt>
              <dd>
                {one.type}, {one.state}
                {one.detail === null ? "" : `: ${one.detail}`}
              </dd>
            </div>
          ))}
        </dl>
      </Section>
    </Page>
  )
}
