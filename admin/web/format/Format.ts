/** Times, durations, tokens and money, as people read them. Times are in the person's own zone. */
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const weekday = new Intl.DateTimeFormat("en", { weekday: "long" })
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "long" })
const exact = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium" })

export const time = (iso: string) => clock.format(new Date(iso))
export const fullTime = (iso: string) => exact.format(new Date(iso))

const dayNumber = (at: Date) => Math.floor((at.getTime() - at.getTimezoneOffset() * 60_000) / 86_400_000)
export const dayKey = (iso: string) => dayNumber(new Date(iso))

export const day = (iso: string) => {
  const at = new Date(iso)
  const ago = dayNumber(new Date()) - dayNumber(at)
  if (ago === 0) return "Today"
  if (ago === 1) return "Yesterday"
  return ago > 0 && ago < 7 ? weekday.format(at) : date.format(at)
}

export const ago = (iso: string) => {
  const minutes = Math.floor((Date.now() - new Date(iso).getTime()) / 60_000)
  if (minutes < 1) return "now"
  if (minutes < 60) return `${minutes} min`
  return dayKey(iso) === dayNumber(new Date()) ? time(iso) : day(iso)
}

export const duration = (ms: number) => {
  if (ms < 950) return `${Math.round(ms)} ms`
  if (ms < 59_500) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

export const count = (n: number) =>
  n < 1000
    ? String(n)
    : n < 999_500
      ? `${(n / 1000).toFixed(n < 10_000 ? 1 : 0)}k`
      : `${(n / 1e6).toFixed(1)}M`

export const tokens = (n: number) => `${count(n)} tokens`

export const money = (dollars: number) => {
  if (dollars === 0) return "$0"
  if (dollars < 0.0001) return "under $0.0001"
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`
}

export const bytes = (n: number) =>
  n < 1000
    ? `${n} B`
    : n < 1e6
      ? `${(n / 1e3).toFixed(0)} kB`
      : n < 1e9
        ? `${(n / 1e6).toFixed(1)} MB`
        : `${(n / 1e9).toFixed(1)} GB`
