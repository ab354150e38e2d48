// @ts-check
/** The API and the room's stream, with reconnecting. */

/** An answer that is not a success: its status and its sentence. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** @param {string} path @param {unknown} [body] a POST when given */
export const call = async (path, body) => {
  const request =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
  const answer = await fetch(path, { ...request, cache: "no-store" }).catch(() => {
    throw new ApiError(0, "Troupe does not answer; check that it is running.")
  })
  const data = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new ApiError(answer.status, data.error ?? "That did not work.")
  return data
}

const silentMs = 40_000
const waits = [300, 1000, 2000, 5000, 10_000]

/**
 * Follows a room from `after`. Contract: every stored event arrives once, in order, over any number of reconnects.
 * @param {string} room
 * @param {number} after
 * @param {{ event: (event: any) => void, delta: (delta: any) => void, ready: () => void, line: (state: "open" | "connecting" | "closed") => void, beat: () => void }} on
 * @returns {() => void} stops following
 */
export const follow = (room, after, on) => {
  let cursor = after
  let failures = 0
  let stopped = false
  /** @type {EventSource | undefined} */
  let source
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  const open = () => {
    if (stopped) return
    clearTimeout(timer)
    source?.close()
    source = new EventSource(`/api/rooms/${room}/stream?after=${cursor}`)
    source.addEventListener("event", (message) => {
      alive()
      const event = JSON.parse(message.data)
      if (event.pos <= cursor) return
      cursor = event.pos
      on.event(event)
    })
    source.addEventListener("delta", (message) => {
      alive()
      on.delta(JSON.parse(message.data))
    })
    source.addEventListener("ready", () => {
      alive()
      failures = 0
      on.line("open")
      on.ready()
    })
    source.addEventListener("beat", () => {
      alive()
      on.beat()
    })
    source.addEventListener("error", broken)
    alive()
  }
  const alive = () => {
    clearTimeout(timer)
    timer = setTimeout(broken, silentMs)
  }
  const broken = () => {
    if (stopped) return
    source?.close()
    on.line("connecting")
    clearTimeout(timer)
    timer = setTimeout(retry, waits[Math.min(failures++, waits.length - 1)])
  }
  // A closed session looks like a broken line to EventSource; asking tells them apart.
  const retry = () =>
    call("/api/status").then(open, (error) => {
      if (error.status === 401) {
        stopped = true
        on.line("closed")
      } else broken()
    })
  const awake = () => {
    if (document.visibilityState === "visible" && source?.readyState === EventSource.CLOSED) retry()
  }
  document.addEventListener("visibilitychange", awake)
  window.addEventListener("online", awake)
  on.line("connecting")
  open()
  return () => {
    stopped = true
    clearTimeout(timer)
    source?.close()
    document.removeEventListener("visibilitychange", awake)
    window.removeEventListener("online", awake)
  }
}
