/** One line of the report: a goal, what was measured, and whether it was reached. */
export interface Figure {
  readonly what: string
  readonly bare?: string
  readonly troupe: string
  readonly ratio?: number
  readonly goal: string
  /** Undefined: said for information. */
  readonly ok?: boolean | undefined
}

export const round = (n: number): string =>
  Math.abs(n) >= 100 ? Math.round(n).toString() : Math.abs(n) >= 10 ? n.toFixed(1) : n.toFixed(2)

/** Both sides in `unit`, for information. */
export const versus = (what: string, bare: number, troupe: number, unit: string) => ({
  what,
  bare: `${round(bare)} ${unit}`,
  troupe: `${round(troupe)} ${unit}`,
  ratio: troupe / bare,
  goal: "",
})

/** Both sides in `unit`; `most` bounds the ratio from above, `least` from below. */
export const compared = (
  what: string,
  bare: number,
  troupe: number,
  unit: string,
  bound: { readonly most: number; readonly stretch?: number } | { readonly least: number },
): Figure => {
  const measured = versus(what, bare, troupe, unit)
  const stretch = "stretch" in bound && bound.stretch !== undefined ? ` (stretch ${bound.stretch}x)` : ""
  return {
    ...measured,
    goal: "most" in bound ? `<= ${bound.most}x${stretch}` : `>= ${bound.least}x`,
    ok: "most" in bound ? measured.ratio <= bound.most : measured.ratio >= bound.least,
  }
}

export const atMost = (what: string, troupe: number, most: number, unit: string): Figure => ({
  what,
  troupe: `${round(troupe)} ${unit}`.trim(),
  goal: `<= ${most} ${unit}`.trim(),
  ok: troupe <= most,
})

export const exactly = (what: string, troupe: number, wanted: number): Figure => ({
  what,
  troupe: String(Number(troupe.toFixed(2))),
  goal: `= ${wanted}`,
  ok: Math.abs(troupe - wanted) < 0.005,
})

export const said = (what: string, troupe: string): Figure => ({ what, troupe, goal: "" })

export const show = ({ what, bare = "", troupe, ratio, goal, ok }: Figure): string =>
  [
    what.padEnd(52),
    bare.padStart(11),
    troupe.padStart(12),
    (ratio === undefined ? "" : `${ratio.toFixed(2)}x`).padStart(8),
    `  ${goal}`.padEnd(25),
    ok === undefined ? "" : ok ? "ok" : "below",
  ].join(" ")
