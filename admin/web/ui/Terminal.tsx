/**
 * What a program wrote, with its colours. Only colours and weights are understood; every other control sequence is dropped,
 * and nothing becomes markup.
 */
interface Style {
  readonly colour: number | null
  readonly bold: boolean
  readonly dim: boolean
}
const plain: Style = { colour: null, bold: false, dim: false }

export interface Span extends Style {
  readonly text: string
}

// oxlint-disable-next-line no-control-regex
const sequence = /\u001b(?:\[([0-9;?]*)([ -/]*[@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/g

const after = (style: Style, codes: string): Style => {
  let next = style
  for (const code of codes.split(";").map((part) => Number(part || 0))) {
    if (code === 0) next = plain
    else if (code === 1) next = { ...next, bold: true }
    else if (code === 2) next = { ...next, dim: true }
    else if (code === 22) next = { ...next, bold: false, dim: false }
    else if (code >= 30 && code <= 37) next = { ...next, colour: code - 30 }
    else if (code >= 90 && code <= 97) next = { ...next, colour: code - 82 }
    else if (code === 39) next = { ...next, colour: null }
  }
  return next
}

/** A carriage return begins the line again, as on a screen. */
const overwritten = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1))
    .join("\n")

export const spansOf = (text: string): ReadonlyArray<Span> => {
  const spans: Array<Span> = []
  let style = plain
  let from = 0
  const whole = overwritten(text)
  const add = (part: string) => {
    const clean = part.replace(control, "")
    if (clean !== "") spans.push({ ...style, text: clean })
  }
  for (const match of whole.matchAll(sequence)) {
    add(whole.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === "m") style = after(style, match[1] ?? "")
  }
  add(whole.slice(from))
  return spans
}

export const Terminal = ({ text }: { readonly text: string }) => (
  <pre className="terminal" tabIndex={0}>
    {spansOf(text).map((span, i) => (
      <span
        key={i}
        data-colour={span.colour ?? undefined}
        data-bold={span.bold || undefined}
        data-dim={span.dim || undefined}
      >
        {span.text}
      </span>
    ))}
  </pre>
)
