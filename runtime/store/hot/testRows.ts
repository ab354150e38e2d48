/** Rows for the statements of the hot path, as tests need them: ada leads what Eva says behind the door `d`. */
import type { AcceptRow } from "./Accept.ts"
import type { BeginRow } from "./Begin.ts"
import type { FinishRow } from "./Finish.ts"
import type { JoinRow } from "./Steer.ts"

let serial = 0
export const word = (channel: string, over: Partial<NonNullable<AcceptRow["message"]>> = {}): AcceptRow => {
  const n = ++serial
  return {
    ws: "w",
    door: "d",
    external_id: `x${n}`,
    raw: { n },
    message: {
      thread: `t${n}`,
      channel,
      title: "Room",
      id: `e${n}`,
      key: `k:${n}:0`,
      person: "d:7",
      edits: null,
      reply_platform: null,
      reply_key: null,
      reply_event: null,
      slots: ["ada"],
      body: { text: `word ${n}`, author: { door: "d", id: "7", name: "Eva", kind: "person" } },
      ...over,
    },
  }
}

export const starting = (event: string, thread: string, over: Partial<BeginRow> = {}): BeginRow => {
  const n = ++serial
  return {
    ws: "w",
    event,
    slot: "ada",
    agent: "ada",
    thread,
    door: "d",
    fence: 3,
    turn: `u${n}`,
    principal: "d:7",
    root: event,
    hop: 0,
    segment: 1,
    reason: "addressed",
    evidence: {},
    wanted: 100,
    least: 10,
    scopes: [{ scope: "root", key: event, period: "", lim: 1000 }],
    frozen: null,
    rows: [{ n: 1, role: "user", content: "[]", heard: 1 }],
    signature: null,
    events: [
      { id: `i${n}`, kind: "intent", body: {} },
      { id: `s${n}`, kind: "turn", body: {} },
    ],
    ...over,
  }
}

export const finishing = (turn: string, thread: string, over: Partial<FinishRow> = {}): FinishRow => {
  const n = ++serial
  return {
    ws: "w",
    turn,
    agent: "ada",
    thread,
    door: "d",
    segment: 1,
    fence: 3,
    taken: 0,
    state: "finished",
    reason: null,
    usage: {},
    ended: [{ n: 1, state: "saved", cost: 40, usage: null }],
    release: [],
    rows: [],
    events: [{ id: `m${n}`, kind: "message", key: `turn:${turn}`, body: { text: "done" } }],
    due: [],
    event: "none",
    signature: null,
    text: "",
    ...over,
  }
}

export const joining = (
  event: string,
  thread: string,
  turn: string,
  over: Partial<JoinRow> = {},
): JoinRow => ({
  ws: "w",
  event,
  slot: "ada",
  agent: "ada",
  thread,
  door: "d",
  turn,
  fence: 3,
  reason: "joined what it was doing",
  person: "d:7",
  events: [],
  ...over,
})
