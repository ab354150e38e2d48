/**
 * What a call costs (P10). Prices are dated rows in US dollars per million tokens; one dollar per million is one
 * micro-dollar per token, so money is counted in whole micro-dollars, exactly, and rounded up once per call.
 *
 * A model without a row has no price, and whoever gets `undefined` refuses to call it: an unknown model is never free.
 * The rehearsal model has a row like the others, of zeros, so that it takes the same way through every budget.
 */
import type { Usage } from "../../runtime/index.ts"

/** Dollars per million tokens. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
}

export interface Price extends Rates {
  /** For prompts of more than `tokens` (cache reads and writes count), the whole call is billed at these rates. */
  readonly above?: Rates & { readonly tokens: number }
}

interface Row extends Price {
  readonly model: string
  /** The first day, UTC, as `YYYY-MM-DD`; the newest row that has begun holds. */
  readonly validFrom: string
}

/** A model of troupe.yaml's `prices:`, in dollars per million tokens. */
export interface ExtraPrice {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite5m?: number
  readonly cacheWrite1h?: number
}

const rates = (
  input: number,
  output: number,
  cacheWrite5m: number,
  cacheWrite1h: number,
  cacheRead: number,
): Rates => ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h })

export const rehearsalModel = "rehearsal"

/** The published prices. Fable 5.2's 1-hour write is not published where we looked: twice the input, as everywhere. */
export const priceRows: ReadonlyArray<Row> = [
  { model: rehearsalModel, validFrom: "1970-01-01", ...rates(0, 0, 0, 0, 0) },
  { model: "claude-fable-5-1", validFrom: "2026-09-01", ...rates(10, 50, 12.5, 20, 0.25) },
  { model: "claude-fable-5-2", validFrom: "2026-11-09", ...rates(8, 40, 10, 16, 0.2) },
  { model: "claude-opus-5-5", validFrom: "2026-09-22", ...rates(4, 20, 5, 8, 0.2) },
  { model: "claude-sonnet-5-5", validFrom: "2026-09-28", ...rates(2, 10, 2.5, 4, 0.2) },
  { model: "claude-sonnet-5-5", validFrom: "2026-10-07", ...rates(2, 10, 2.5, 4, 0.1) },
  {
    model: "claude-haiku-5-5",
    validFrom: "2026-10-07",
    ...rates(0.1, 0.5, 0.125, 0.2, 0.01),
    above: { tokens: 100_000, ...rates(0.5, 2.5, 0.625, 1, 0.05) },
  },
]

/** The price on a day. The operator's own price wins over the table. */
export function priceAt(
  model: string,
  at: Date,
  extraPrices: Readonly<Record<string, ExtraPrice>> = {},
): Price | undefined {
  if (Object.hasOwn(extraPrices, model)) return fromExtra(extraPrices[model]!)
  const day = at.toISOString().slice(0, 10)
  return priceRows
    .filter((row) => row.model === model && row.validFrom <= day)
    .reduce<Row | undefined>((best, row) => (best && best.validFrom > row.validFrom ? best : row), undefined)
}

/** The published model with the cheapest output on a day. */
export const cheapestModel = (at: Date): string =>
  priceRows
    .map((row) => row.model)
    .filter((model) => model !== rehearsalModel && priceAt(model, at) !== undefined)
    .reduce((best, model) => (priceAt(model, at)!.output < priceAt(best, at)!.output ? model : best))

/** Writes cost what they cost everywhere (1.25 and 2 times the input); a read discount differs, so none is assumed. */
const fromExtra = ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: ExtraPrice): Price =>
  rates(input, output, cacheWrite5m ?? input * 1.25, cacheWrite1h ?? input * 2, cacheRead ?? input)

/** Exact, in micro-dollars, rounded up to a whole one. */
export function costMicros(price: Price, usage: Usage): number {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h
  const at = ratesFor(price, prompt)
  return wholeMicros(
    usage.input * micros(at.input) +
      usage.output * micros(at.output) +
      usage.cacheRead * micros(at.cacheRead) +
      usage.cacheWrite5m * micros(at.cacheWrite5m) +
      usage.cacheWrite1h * micros(at.cacheWrite1h),
  )
}

/** The most a call can cost: nothing is read from the cache and all of it is written (5 minutes, as we ask for). */
export const worstCaseMicros = (price: Price, inputTokens: number, maxTokens: number): number =>
  wholeMicros(worstInput(price, inputTokens) + maxTokens * micros(ratesFor(price, inputTokens).output))

/** The largest `max_tokens`, up to `wanted`, whose worst case fits into what is left; 0 when none does. */
export function affordableTokens(
  price: Price,
  inputTokens: number,
  wanted: number,
  leftMicros: number,
): number {
  const left = leftMicros * scale - worstInput(price, inputTokens)
  if (left < 0) return 0
  const output = micros(ratesFor(price, inputTokens).output)
  return output === 0 ? wanted : Math.min(wanted, Math.floor(left / output))
}

const worstInput = (price: Price, inputTokens: number): number => {
  const { input, cacheWrite5m } = ratesFor(price, inputTokens)
  return inputTokens * micros(Math.max(input, cacheWrite5m))
}

const ratesFor = (price: Price, promptTokens: number): Rates =>
  price.above !== undefined && promptTokens > price.above.tokens ? price.above : price

/** Rates have at most six decimals: as millionths of a micro-dollar they are integers, and sums stay exact below 2^53. */
const scale = 1_000_000
const micros = (dollarsPerMillion: number): number => Math.round(dollarsPerMillion * scale)
const wholeMicros = (scaled: number): number => Math.ceil(scaled / scale)
