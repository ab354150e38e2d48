/** The doors: how each is, who works behind it, what passes it; and how to open another. */
import { useQuery } from "@tanstack/react-query"
import { IconBrandGithub, IconBrandTelegram, IconPlug, IconWorld } from "@tabler/icons-react"
import type { IntegrationView } from "../../api/index.ts"
import { integrationsQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { CodeBlock } from "../ui/Markdown.tsx"
import { Strangers } from "./Strangers.tsx"
import { Page, Section } from "../ui/Page.tsx"

const icons: Readonly<Record<string, typeof IconPlug>> = {
  telegram: IconBrandTelegram,
  github: IconBrandGithub,
  web: IconWorld,
}

export const IntegrationsPage = () => (
  <Page
    title="Integrations"
    about="The doors by which people reach the company. Each has its own rooms, rules and health."
  >
    <Asked of={useQuery(integrationsQuery)}>
      {(all) => (
        <>
          <div className="stack">
            {all.map((one) => (
              <Door key={one.name} of={one} />
            ))}
          </div>
          <Strangers />
          {all.some((one) => one.type === "telegram") ? null : <HowTelegram />}
          {all.some((one) => one.type === "github") ? null : <HowGithub />}
        </>
      )}
    </Asked>
  </Page>
)

const Door = ({ of }: { readonly of: IntegrationView }) => {
  const Icon = icons[of.type] ?? IconPlug
  const settings = Object.entries(of.settings)
  return (
    <article className="panel">
      <header className="panel-head">
        <span className="door-icon">
          <Icon size={20} stroke={1.7} />
        </span>
        <div>
          <h2>{of.name}</h2>
          <p>
            {of.type}
            {of.detail === null ? "" : `: ${of.detail}`}
          </p>
        </div>
        <span
          className="badge"
          data-tone={{ connected: "good", connecting: "warn", failed: "bad" }[of.state]}
        >
          {of.state}
        </span>
      </header>
      <dl className="mini">
        <div>
          <dt>Rooms</dt>
          <dd>{of.rooms}</dd>
        </div>
        <div>
          <dt>Last heard</dt>
          <dd>{of.lastIn === null ? "never" : Format.ago(of.lastIn)}</dd>
        </div>
        <div>
          <dt>Last said</dt>
          <dd>{of.lastOut === null ? "never" : Format.ago(of.lastOut)}</dd>
        </div>
        <div>
          <dt>Deliveries today</dt>
          <dd>{of.day}</dd>
        </div>
        <div data-alarm={of.unsaid > 0 || undefined}>
          <dt>Not said yet</dt>
          <dd>{of.unsaid}</dd>
        </div>
        <div>
          <dt>Agents</dt>
          <dd>{of.agents.length === 0 ? "none" : of.agents.map((name) => `@${name}`).join(", ")}</dd>
        </div>
      </dl>
      {settings.length === 0 ? null : (
        <details>
          <summary>Settings, without secrets</summary>
          <CodeBlock lang="json" text={JSON.stringify(of.settings, null, 2)} />
        </details>
      )}
    </article>
  )
}

const HowTelegram = () => (
  <Section title="Open a Telegram door" about="Four steps; the agents answer in Telegram a minute later.">
    <ol className="steps panel">
      <li>
        Talk to <b>@BotFather</b> in Telegram: <code>/newbot</code>. It gives you a token.
      </li>
      <li>
        Put the token where Troupe runs: <code>export TELEGRAM_BOT_TOKEN=…</code>. It stays out of every file
        and this page.
      </li>
      <li>
        Add this to <code>troupe.yaml</code>, with your own number (ask <b>@userinfobot</b>), and start Troupe
        again:
        <CodeBlock
          lang="yaml"
          text={`integrations:\n  - name: team-chat\n    type: telegram\n    token: \${TELEGRAM_BOT_TOKEN}\n    allow: { users: [12345678], chats: [] }`}
        />
      </li>
      <li>The door appears above as connected. Say hello to your bot.</li>
    </ol>
  </Section>
)

const HowGithub = () => (
  <Section
    title="Open a GitHub door"
    about="Issues and pull requests become rooms; an issue with your label becomes work."
  >
    <ol className="steps panel">
      <li>
        Make a GitHub App of your own: issues and pull requests, read and write. Keep its id, private key and
        webhook secret.
      </li>
      <li>
        Add this to <code>troupe.yaml</code> and start Troupe again:
        <CodeBlock
          lang="yaml"
          text={`integrations:\n  - name: repos\n    type: github\n    appId: \${GITHUB_APP_ID}\n    privateKey: \${GITHUB_PRIVATE_KEY}\n    webhookSecret: \${GITHUB_WEBHOOK_SECRET}`}
        />
      </li>
      <li>
        Point the App's webhook to <code>/hooks/repos</code> at your public address.
      </li>
    </ol>
  </Section>
)
