/** A bar for each day or hour, drawn as SVG: exact figures stand in a table for those who do not see it. */
import { useState } from "react"

export interface Bar {
  readonly key: string
  readonly label: string
  readonly value: number
  readonly shown: string
}

const width = 1000
const height = 200

export const Bars = ({ bars, label }: { readonly bars: ReadonlyArray<Bar>; readonly label: string }) => {
  const [over, setOver] = useState<Bar | null>(null)
  const most = Math.max(...bars.map((bar) => bar.value), 1e-9)
  const step = width / Math.max(1, bars.length)
  const last = bars.at(-1)
  return (
    <figure className="bars">
      <figcaption>
        <span>{label}</span>
        <b>{(over ?? last)?.shown}</b>
        <small>{(over ?? last)?.label}</small>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {bars.map((bar, i) => {
          const tall = Math.max(bar.value > 0 ? 3 : 1.5, (bar.value / most) * (height - 6))
          return (
            <g key={bar.key} onMouseEnter={() => setOver(bar)} onMouseLeave={() => setOver(null)}>
              <rect className="bar-area" x={i * step} y={0} width={step} height={height} />
              <rect
                className="bar-value"
                data-empty={bar.value === 0 || undefined}
                x={i * step + step * 0.14}
                y={height - tall}
                width={step * 0.72}
                height={tall}
                rx={3}
              />
            </g>
          )
        })}
      </svg>
      <div className="bars-axis">
        <span>{bars[0]?.label}</span>
        <span>{last?.label}</span>
      </div>
      <table className="sr-only">
        <caption>{label}</caption>
        <tbody>
          {bars.map((bar) => (
            <tr key={bar.key}>
              <th scope="row">{bar.label}</th>
              <td>{bar.shown}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}
