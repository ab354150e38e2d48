/** GitHub's secondary limits: so many requests that create content in a minute and in an hour, an installation. */
import { ApiError } from "./ApiError.ts"

export interface ContentLimits {
  readonly perMinute: number
  readonly perHour: number
  /** Seconds told in `retry-after`; absent: the header is left out, as GitHub sometimes does. */
  readonly retryAfter?: number
}

export class Limits {
  private limits: ContentLimits = { perMinute: 80, perHour: 500, retryAfter: 60 }
  private readonly made = new Map<number, Array<number>>()
  /** How often a client was told to slow down. */
  refusals = 0

  set(limits: Partial<ContentLimits>): void {
    this.limits = { perMinute: 80, perHour: 500, ...limits }
    this.made.clear()
  }

  /** A request that creates content. */
  count(installation: number, now: number): void {
    const recent = (this.made.get(installation) ?? []).filter((at) => at > now - 3_600_000)
    const { perMinute, perHour, retryAfter } = this.limits
    if (recent.length >= perHour || recent.filter((at) => at > now - 60_000).length >= perMinute) {
      this.refusals++
      throw new ApiError(
        403,
        "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.",
        retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
      )
    }
    recent.push(now)
    this.made.set(installation, recent)
  }
}
