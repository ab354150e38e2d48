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

/**
 * Both sides in turn, so that a noisy neighbour meets both; the median over the rounds of the ratio of their speeds.
 * The first rounds, in which code is still being compiled, do not count.
 */
export const ratio = async (
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
  rounds = 9,
  warmUp = 4,
): Promise<number> => {
  const ratios: Array<number> = []
  for (let round = 0; round < warmUp + rounds; round++) {
    const mine = await ours()
    const other = await theirs()
    if (round >= warmUp) ratios.push(other / mine)
  }
  return median(ratios)
}
