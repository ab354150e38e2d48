// @ts-check
/** Puts the page together: rooms, the open room and its stream, speaking. */
import { ApiError, call, follow } from "./api.js"
import { Composer } from "./composer.js"
import { avatar, byId, fill, h, toast } from "./dom.js"
import * as format from "./format.js"
import { onNewRoom, showRooms } from "./frame.js"
import { Room } from "./room.js"
import { Timeline } from "./timeline.js"

const pageOfEvents = 400

/** @type {{ rooms: Array<any>, members: Array<any>, status: any, open: any, room: Room, log: Array<any>, stop: () => void, pending: Map<string, any>, drafts: Map<string, string> }} */
const state = {
  rooms: [],
  members: [],
  status: null,
  open: null,
  room: new Room(),
  log: [],
  stop: () => {},
  pending: new Map(),
  drafts: new Map(),
}

/** @param {string} agent */
const member = (agent) => state.members.find(({ id }) => id === agent)
/** @param {string} agent */
const nameOf = (agent) => member(agent)?.name ?? agent

const timeline = new Timeline(byId("timeline"), {
  nameOf,
  titleOf: (agent) => member(agent)?.title ?? "",
  isMe: (author) => author.kind === "person" && author.door === state.open?.door && author.id === "owner",
  why: (message) =>
    call(`/api/rooms/${state.open.id}/why?message=${message}`).then(
      ({ why }) => why,
      (error) => (complain(error), []),
    ),
  drawn: () => {
    drawMembers()
    drawEmpty()
    if (pinned) scroll.scrollTop = scroll.scrollHeight
  },
})
const composer = new Composer({ members: () => state.members, send: (text) => void say(text) })

// Scrolling: the newest words stay in view unless the person looked further up.
/** @type {HTMLElement} */
const scroll = byId("scroll")
let pinned = true
scroll.addEventListener("scroll", () => {
  pinned = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60
  byId("newer").hidden = pinned
})
byId("newer").addEventListener("click", () => {
  pinned = true
  scroll.scrollTo({ top: scroll.scrollHeight, behavior: "smooth" })
})
new ResizeObserver(() => {
  if (pinned) scroll.scrollTop = scroll.scrollHeight
}).observe(byId("timeline"))

/** @param {unknown} error */
const complain = (error) => {
  if (error instanceof ApiError && error.status === 401) locked()
  else toast(error instanceof Error ? error.message : String(error))
}

/** The session ended while the page was open. */
const locked = () => {
  state.stop()
  composer.allow(false, "This page is locked")
  byId("banner").hidden = false
  byId("banner").className = "banner alert"
  fill(
    byId("banner"),
    "Your session ended. Run ",
    h("code", {}, "npx troupe link"),
    " where Troupe runs, and open the link.",
  )
  drawLine("closed")
}

// Rooms

const refresh = async () => {
  const [{ rooms }, { agents }, status] = await Promise.all([
    call("/api/rooms"),
    call("/api/agents"),
    call("/api/status"),
  ])
  state.rooms = rooms
  state.members = agents
  state.status = status
  drawRooms()
  drawMembers()
  drawStatus()
}

const drawRooms = () => {
  fill(
    byId("rooms"),
    ...state.rooms.map((room) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            class: "room",
            type: "button",
            "aria-current": room.id === state.open?.id ? "true" : null,
            onclick: () => enter(room),
          },
          h("span", { class: "room-title" }, room.title),
          h("span", { class: "room-door" }, room.doorName),
          h("span", { class: "room-when" }, room.lastAt === null ? "" : format.ago(room.lastAt)),
        ),
      ),
    ),
    state.rooms.length === 0 && h("li", { class: "no-rooms" }, "No rooms yet."),
  )
}

const drawMembers = () => {
  const working = state.room.working()
  fill(
    byId("members"),
    ...state.members.map((agent) => {
      const busy = working.has(agent.id) || agent.state === "working"
      const doing = agent.state === "parked" ? "parked" : busy ? "working" : "idle"
      return h(
        "li",
        { title: `@${agent.name}, ${agent.title}: ${doing}` },
        avatar(agent.id, agent.name, doing),
        h("span", { class: "sr-only" }, `${agent.name}, ${agent.title}, ${doing}`),
      )
    }),
  )
}

const drawStatus = () => {
  const { rehearsal, integrations, parts } = state.status
  const banner = byId("banner")
  if (!banner.classList.contains("alert")) {
    banner.hidden = !rehearsal
    fill(
      banner,
      h("b", {}, "Rehearsal. "),
      "No model key is set, so answers follow simple rules. ",
      h(
        "span",
        { class: "banner-more" },
        "Set ",
        h("code", {}, "ANTHROPIC_API_KEY"),
        " and start again for the real thing.",
      ),
    )
  }
  fill(
    byId("side-foot"),
    ...integrations.map((/** @type {any} */ one) =>
      h(
        "div",
        { class: "dependency", "data-state": one.state, title: one.detail },
        h("i"),
        h("span", {}, one.name),
        h("small", {}, one.state),
      ),
    ),
    parts.length > 0 &&
      h(
        "details",
        { class: "parts" },
        h("summary", {}, "What runs where"),
        h(
          "dl",
          {},
          ...parts.map((/** @type {any} */ part) =>
            h("div", {}, h("dt", {}, part.name), h("dd", {}, part.where)),
          ),
        ),
      ),
  )
}

/** @param {"open" | "connecting" | "closed"} line */
const drawLine = (line) => {
  const node = byId("line")
  node.dataset.state = line
  node.textContent = { open: "", connecting: "Reconnecting", closed: "Locked" }[line]
}

const drawEmpty = () => {
  const node = byId("empty")
  node.hidden = state.open !== null && (state.room.items.length > 0 || state.pending.size > 0)
  if (node.hidden || node.dataset.for === (state.open?.id ?? "none")) return
  node.dataset.for = state.open?.id ?? "none"
  const faces = h("div", { class: "faces" }, ...state.members.map(({ id, name }) => avatar(id, name)))
  if (state.open === null) {
    fill(
      node,
      faces,
      h("h2", {}, "Open a room"),
      h(
        "p",
        {},
        "A room is one conversation. Every agent in it hears every word and decides whether to act.",
      ),
      h("button", { class: "solid-button", type: "button", onclick: askForRoom }, "Open the first room"),
    )
    return
  }
  const [first, second] = state.members
  /** @param {string} label @param {string} text */
  const idea = (label, text) =>
    h(
      "button",
      { class: "idea", type: "button", onclick: () => (composer.put(text), composer.words.focus()) },
      label,
    )
  if (first === undefined) {
    fill(
      node,
      h("h2", {}, "Nobody works here yet"),
      h("p", {}, "Add an agent to troupe.yaml and start again."),
    )
    return
  }
  fill(
    node,
    faces,
    h("h2", {}, `Say hello to @${first.name}`),
    h(
      "p",
      {},
      "Name an agent with @ to ask it directly. Without a name, whoever fits best answers. Agents work on their own computers and show their receipts.",
    ),
    h(
      "div",
      { class: "ideas" },
      idea("Say hello", `@${first.name} hello, who are you?`),
      idea("run: ls -la", `@${first.name} run: ls -la`),
      second !== undefined &&
        idea(`Ask @${second.name}`, `@${second.name} what would you look at first in a new project?`),
    ),
  )
}

// The open room

/** @param {any} room */
const enter = (room) => {
  if (state.open !== null) state.drafts.set(state.open.id, composer.text)
  state.stop()
  state.open = room
  state.room = new Room()
  state.log = []
  state.pending.clear()
  timeline.clear()
  pinned = true
  byId("newer").hidden = true
  localStorage.setItem("room", room.id)
  byId("title").textContent = room.title
  byId("door").textContent = room.doorName
  document.title = `${room.title} · Troupe`
  byId("earlier").hidden = room.head <= pageOfEvents
  showRooms(false)
  drawRooms()
  composer.allow(
    room.speakable,
    room.speakable ? "Say something, or @name somebody" : `Speak in ${room.doorName}; it appears here`,
  )
  composer.put(state.drafts.get(room.id) ?? "")
  let live = false
  state.stop = follow(room.id, Math.max(0, room.head - pageOfEvents), {
    event: (event) => {
      state.log.push(event)
      show(state.room.apply(event))
      settle(event)
      if (live) announce(event)
    },
    delta: (delta) => show(state.room.say(delta)),
    ready: () => {
      live = true
      drawEmpty()
      drawMembers()
    },
    line: (line) => (line === "closed" ? locked() : drawLine(line)),
    beat: () => void refresh().catch(() => {}),
  })
}

/** @param {import("./room.js").Item | null} item */
const show = (item) => {
  if (item !== null) timeline.changed(item)
}

/** For those who listen to the page rather than look at it. @param {any} event */
const announce = (event) => {
  if (event.kind === "message" && event.author.kind !== "person")
    byId("spoken").textContent = `${event.author.name}: ${event.text}`
}

// The room is told again from the earlier place, so that turns which the page had cut in two become whole.
byId("earlier").addEventListener("click", async () => {
  const { open } = state
  const until = state.log[0]?.pos ?? 1
  const after = Math.max(0, until - 1 - pageOfEvents)
  try {
    const { events } = await call(`/api/rooms/${open.id}/events?after=${after}`)
    if (state.open !== open) return
    const before = state.room
    const fromBottom = scroll.scrollHeight - scroll.scrollTop
    state.log = [...events.filter((/** @type {any} */ event) => event.pos < until), ...state.log]
    state.room = new Room()
    timeline.clear()
    for (const event of state.log) show(state.room.apply(event))
    for (const [turn, { live }] of before.turns) {
      const item = state.room.turns.get(turn)
      if (item !== undefined) item.live = live
    }
    for (const { node } of state.pending.values()) byId("timeline").appendChild(node)
    byId("earlier").hidden = after === 0
    requestAnimationFrame(() => (scroll.scrollTop = scroll.scrollHeight - fromBottom))
  } catch (error) {
    complain(error)
  }
})

// Speaking

/** @param {string} text */
const say = async (text) => {
  const id = crypto.randomUUID()
  const node = h(
    "li",
    { class: "words mine pending" },
    h(
      "article",
      { class: "said" },
      h("header", { class: "by" }, h("span", { class: "sending" }, "Sending")),
      h("div", { class: "bubble" }, text),
    ),
  )
  const pending = { room: state.open, id, text, node, event: null }
  state.pending.set(id, pending)
  pinned = true
  drawEmpty()
  byId("timeline").appendChild(node)
  await deliver(pending)
}

/** The same id is sent again, so that the words are said once. @param {any} pending */
const deliver = async (pending) => {
  pending.node.classList.remove("failed")
  pending.node.querySelector(".sending").textContent = "Sending"
  try {
    const { event } = await call(`/api/rooms/${pending.room.id}/say`, { id: pending.id, text: pending.text })
    pending.event = event
    if (state.room.words.has(event) || state.open !== pending.room) drop(pending)
  } catch (error) {
    complain(error)
    pending.node.classList.add("failed")
    fill(
      pending.node.querySelector(".sending"),
      "Not sent ",
      h("button", { class: "why", type: "button", onclick: () => void deliver(pending) }, "Send again"),
    )
  }
}

/** The words came back through the room. @param {any} event */
const settle = (event) => {
  for (const pending of state.pending.values()) if (pending.event === event.id) drop(pending)
}

/** @param {any} pending */
const drop = (pending) => {
  pending.node.remove()
  state.pending.delete(pending.id)
}

const askForRoom = onNewRoom(async (title) => {
  try {
    const room = await call("/api/rooms", { title })
    await refresh()
    enter(room)
    composer.words.focus()
  } catch (error) {
    complain(error)
  }
})

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void refresh().catch(() => {})
})

try {
  await refresh()
  const last = state.rooms.find(({ id }) => id === localStorage.getItem("room")) ?? state.rooms[0]
  if (last === undefined) {
    composer.allow(false, "Open a room first")
    drawEmpty()
  } else enter(last)
} catch (error) {
  complain(error)
}
