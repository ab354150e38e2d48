/** A row of figures: what it is, how much, and what that means. */
import type { ReactNode } from "react"

export interface Figure {
  readonly label: string
  readonly value: ReactNode
  readonly about?: ReactNode
  readonly tone?: "bad" | "warn" | "good" | undefined
}

export const Figures = ({ of }: { readonly of: ReadonlyArray<Figure> }) => (
  <dl className="figures">
    {of.map(({ label, value, about, tone }) => (
      <div key={label} data-tone={tone}>
        <dt>{label}</dt>
        <dd>{value}</dd>
        {about === undefined ? null : <dd className="figure-about">{about}</dd>}
      </div>
    ))}
  </dl>
)
