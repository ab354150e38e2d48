/** The frame of every page that is not a room: its title, what it is for, its actions, its content. */
import type { ReactNode } from "react"

export const Page = ({
  title,
  about,
  actions,
  children,
}: {
  readonly title: string
  readonly about?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}) => (
  <div className="page" tabIndex={0} role="region" aria-label={title}>
    <div className="page-column">
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {about === undefined ? null : <p>{about}</p>}
        </div>
        <div className="page-actions">{actions}</div>
      </header>
      {children}
    </div>
  </div>
)

export const Section = ({
  title,
  about,
  actions,
  children,
}: {
  readonly title: string
  readonly about?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}) => (
  <section className="section" aria-label={title}>
    <header className="section-head">
      <h2>{title}</h2>
      {about === undefined ? null : <p>{about}</p>}
      <div className="page-actions">{actions}</div>
    </header>
    {children}
  </section>
)

/** An empty place that says what would be here, and how to get it. */
export const Empty = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <div className="nothing">
    <h3>{title}</h3>
    <div>{children}</div>
  </div>
)
