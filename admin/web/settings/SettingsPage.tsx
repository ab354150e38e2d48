/** What runs where, the look of the page, and where to learn more. */
import { SegmentedControl, useMantineColorScheme } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import { statusQuery } from "../data/Queries.ts"
import { Asked } from "../ui/Asked.tsx"
import { Page, Section } from "../ui/Page.tsx"

export const SettingsPage = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Page
      title="Settings"
      about="Everything else is in troupe.yaml and the environment, so that it can be kept and read."
    >
      <Section title="Theme">
        <SegmentedControl
          aria-label="Theme"
          value={colorScheme}
          onChange={(value) => setColorScheme(value as typeof colorScheme)}
          data={[
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
            { value: "auto", label: "As the system is" },
          ]}
        />
      </Section>
      <Section title="What runs where">
        <Asked of={useQuery(statusQuery)}>
          {(status) => (
            <dl className="facts">
              <div>
                <dt>Models</dt>
                <dd>{status.rehearsal ? "a rehearsal, by simple rules" : "as configured"}</dd>
              </div>
              {status.parts.map((part) => (
                <div key={part.name}>
                  <dt>{part.name}</dt>
                  <dd>{part.where}</dd>
                </div>
              ))}
              {status.integrations.map((one) => (
                <div key={one.name}>
                  <dt>{one.name}</dt>
                  <dd>
                    {one.type}, {one.state}
                    {one.detail === null ? "" : `: ${one.detail}`}
                  </dd>
                </div>
              ))}
            </dl>
          )}
        </Asked>
      </Section>
      <Section title="Keyboard">
        <dl className="facts">
          {[
            ["Find anything", "mod-K"],
            ["Go to a page", "g, then its letter"],
            ["Speak", "/"],
            ["Name an agent", "@"],
          ].map(([what, keys]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                <kbd>{keys}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title="For programs">
        <dl className="facts">
          <div>
            <dt>The API</dt>
            <dd>
              <a href="/api/openapi.json" target="_blank" rel="noopener noreferrer">
                /api/openapi.json
              </a>
            </dd>
          </div>
          <div>
            <dt>Metrics</dt>
            <dd>
              <code>/metrics</code>, with the token of the command line
            </dd>
          </div>
        </dl>
      </Section>
    </Page>
  )
}
