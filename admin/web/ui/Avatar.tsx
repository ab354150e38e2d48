/** Who it is, in a colour of their own: always with the name beside it or in its label. */
const hueOf = (id: string): number => {
  let hash = 7
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)!) % 3600
  return Math.round(hash / 10)
}

export const Avatar = ({
  id,
  name,
  state,
  size,
}: {
  readonly id: string
  readonly name: string
  readonly state?: "working" | "parked" | "waiting" | "idle" | undefined
  readonly size?: "small" | "large"
}) => (
  <span
    className="avatar"
    aria-hidden="true"
    data-state={state}
    data-size={size}
    style={{ "--hue": hueOf(id) } as React.CSSProperties}
  >
    {[...name.toUpperCase()][0] ?? "?"}
  </span>
)
