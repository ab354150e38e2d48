/** A table of things, wide on a desk and scrolling on a phone; says what would stand here when nothing does. */
import type { ReactNode } from "react"

export interface Column<A> {
  readonly name: string
  readonly cell: (row: A) => ReactNode
  readonly right?: boolean
  readonly wide?: boolean
}

export const Rows = <A,>({
  label,
  rows,
  columns,
  keyOf,
  nothing,
}: {
  readonly label: string
  readonly rows: ReadonlyArray<A>
  readonly columns: ReadonlyArray<Column<A>>
  readonly keyOf: (row: A) => string
  readonly nothing: ReactNode
}) =>
  rows.length === 0 ? (
    <div className="nothing">{nothing}</div>
  ) : (
    <div className="rows" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={column.right ? "to-right" : undefined}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td
                  key={column.name}
                  className={
                    [column.right ? "to-right" : "", column.wide ? "wide" : ""].join(" ").trim() || undefined
                  }
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
