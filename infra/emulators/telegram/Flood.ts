/**
 * Flood limits, off until a test switches them on. A window that is full answers 429 with the seconds until it has
 * room; refused calls do not count.
 */
import { tooMany } from "./ApiError.ts"
import type { Chat } from "./World.ts"

export interface FloodLimits {
  readonly perChatPerSecond?: number
  readonly perGroupPerMinute?: number
  readonly globalPerSecond?: number
}

export class Flood {
  limits: FloodLimits = {}
  private readonly windows = new Map<string, Array<number>>()

  /** Throws 429 when one of the windows of this bot is full. */
  pass(bot: number, chat: Chat, now: number): void {
    const { perChatPerSecond, perGroupPerMinute, globalPerSecond } = this.limits
    const wanted: Array<readonly [string, number, number]> = []
    if (globalPerSecond !== undefined) wanted.push([`${bot}`, globalPerSecond, 1_000])
    if (perChatPerSecond !== undefined) wanted.push([`${bot}:${chat.id}`, perChatPerSecond, 1_000])
    if (perGroupPerMinute !== undefined && chat.type !== "private")
      wanted.push([`${bot}:${chat.id}:minute`, perGroupPerMinute, 60_000])
    const windows = wanted.map(([key, limit, span]) => {
      const window = (this.windows.get(key) ?? []).filter((at) => at > now - span)
      this.windows.set(key, window)
      if (window.length >= limit) throw tooMany(Math.max(1, Math.ceil((window[0]! + span - now) / 1000)))
      return window
    })
    for (const window of windows) window.push(now)
  }
}
