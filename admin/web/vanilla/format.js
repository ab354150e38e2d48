// @ts-check
/** Times, durations, tokens and money, as people read them. */

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const weekday = new Intl.DateTimeFormat("en", { weekday: "long" })
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "long" })
const exact = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium" })

/** @param {string} iso */
export const time = (iso) => clock.format(new Date(iso))
/** @param {string} iso */
export const fullTime = (iso) => exact.format(new Date(iso))

/** @param {Date} at */
const dayNumber = (at) => Math.floor((at.getTime() - at.getTimezoneOffset() * 60_000) / 86_400_000)

/** @param {string} iso */
export const dayKey = (iso) => dayNumber(new Date(iso))

/** @param {string} iso */
export const day = (iso) => {
  const at = new Date(iso)
  const ago = dayNumber(new Date()) - dayNumber(at)
  if (ago === 0) return "Today"
  if (ago === 1) return "Yesterday"
  return ago < 7 ? weekday.format(at) : date.format(at)
}

/** @param {string} iso */
export const ago = (iso) => {
  const minutes = Math.floor((Date.now() - new Date(iso).getTime()) / 60_000)
  if (minutes < 1) return "now"
  if (minutes < 60) return `${minutes} min`
  return minutes < 24 * 60 ? time(iso) : day(iso)
}

/** @param {number} ms */
export const duration = (ms) => {
  if (ms < 950) return `${Math.round(ms)} ms`
  if (ms < 59_500) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** @param {number} count */
export const tokens = (count) =>
  count < 1000 ? `${count} tokens` : `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)}k tokens`

/** @param {number} dollars */
export const money = (dollars) => {
  if (dollars === 0) return "$0"
  if (dollars < 0.0001) return "under $0.0001"
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`
}
