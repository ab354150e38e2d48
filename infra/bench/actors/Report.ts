/** Goals and what was measured, one line each; the ratio goals hold on any machine, so below one the run fails. */
export interface Line {
  readonly goal: string
  readonly measured: string
  readonly ok: boolean
}

export const atLeast = (goal: string, measured: number, least: number, unit: string): Line => ({
  goal: `${goal} >= ${least}${unit}`,
  measured: `${digits(measured)}${unit}`,
  ok: measured >= least,
})

export const atMost = (goal: string, measured: number, most: number, unit: string): Line => ({
  goal: `${goal} <= ${most}${unit}`,
  measured: `${digits(measured)}${unit}`,
  ok: measured <= most,
})

const digits = (n: number): string => (Math.abs(n) >= 100 ? Math.round(n).toString() : n.toFixed(2))

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

export const quantile = (values: ReadonlyArray<number>, q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!

/** Milliseconds that `run` takes. */
export const timed = async (run: () => unknown): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** Both sides in turn, several times; the median of the per-round ratios of their speeds. */
export const ratio = async (
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<number> => {
  const ratios: Array<number> = []
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = round % 2 === 0 ? [await ours(), await theirs()] : [0, 0]
    const [b2, a2] = round % 2 === 1 ? [await theirs(), await ours()] : [b, a]
    if (round > 0) ratios.push(b2 / a2)
  }
  return median(ratios)
}
