/** What was spent, on whom, and what is left. */
import { useQuery } from "@tanstack/react-query"
import type { Money } from "../../api/index.ts"
import { moneyQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"
import { Bars } from "../ui/Bars.tsx"
import { Figures } from "../ui/Figures.tsx"
import { Page, Section } from "../ui/Page.tsx"

const dayOf = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" })

export const MoneyPage = () => (
  <Page
    title="Money"
    about="Every model call is reserved before it is made and settled after. Days are counted in UTC."
  >
    <Asked of={useQuery(moneyQuery)}>{(money) => <Book money={money} />}</Asked>
  </Page>
)

const Book = ({ money }: { readonly money: Money }) => (
  <>
    <Figures
      of={[
        { label: "Today", value: Format.money(money.today) },
        {
          label: "This month",
          value: Format.money(money.month),
          about: `${Format.money(money.forecast)} if it goes on like this`,
        },
        {
          label: "A reply",
          value: money.reply.median === null ? "none yet" : Format.money(money.reply.median),
          about:
            money.reply.p95 === null
              ? undefined
              : `one in twenty costs ${Format.money(money.reply.p95)} or more`,
        },
        {
          label: "Turns",
          value: money.days.reduce((sum, day) => sum + day.turns, 0),
          about: "in thirty days",
        },
      ]}
    />
    <Section title="By day">
      <Bars
        label="Dollars a day"
        bars={money.days.map((day) => ({
          key: day.day,
          label: dayOf.format(new Date(day.day)),
          value: day.dollars,
          shown: `${Format.money(day.dollars)}, ${day.turns} ${day.turns === 1 ? "turn" : "turns"}`,
        }))}
      />
    </Section>
    <Section title="Budgets" about="A call that no budget covers is not made; the agent asks in its room.">
      {money.budgets.length === 0 ? <p className="quiet">Nothing was reserved yet today.</p> : null}
      <ul className="budgets">
        {money.budgets.map((budget) => (
          <li key={`${budget.scope}/${budget.name}/${budget.period}`}>
            <span>
              <b>{budget.scope === "agent" ? `@${budget.name}` : budget.name}</b> {budget.period}
            </span>
            <progress max={budget.limit} value={Math.min(budget.limit, budget.spent + budget.reserved)} />
            <span className="to-right">
              {Format.money(Math.max(0, budget.limit - budget.spent - budget.reserved))} left of{" "}
              {Format.money(budget.limit)}
            </span>
          </li>
        ))}
      </ul>
    </Section>
    <div className="columns">
      <Share title="By agent" of={money.agents} prefix="@" />
      <Share title="By model" of={money.models} />
      <Share title="By room" of={money.rooms} />
      <Share title="By integration" of={money.doors} />
    </div>
  </>
)

const Share = ({
  title,
  of,
  prefix = "",
}: {
  readonly title: string
  readonly of: Money["agents"]
  readonly prefix?: string
}) => {
  const most = Math.max(...of.map((one) => one.dollars), 1e-9)
  return (
    <Section title={title}>
      {of.length === 0 ? <p className="quiet">Nothing in thirty days.</p> : null}
      <ul className="shares">
        {of.map((one) => (
          <li key={one.key}>
            <span className="share-name">
              {prefix}
              {one.name}
            </span>
            <span className="share-sum">
              {Format.money(one.dollars)}{" "}
              <small>
                {one.turns} {one.turns === 1 ? "turn" : "turns"}
              </small>
            </span>
            <progress
              max={most}
              value={one.dollars}
              aria-label={`${one.name}: ${Format.money(one.dollars)}`}
            />
          </li>
        ))}
      </ul>
    </Section>
  )
}
