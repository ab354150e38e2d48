/**
 * What a conversation reads when it is not in memory: the newest segment of its transcript, and a turn that another process (or
 * an earlier life of this one) left running. Off the hot path: once per waking, never per message.
 */
import * as Effect from "effect/Effect"
import type { Block, ModelMessage } from "../../integrations/anthropic/index.ts"
import type {
  AgentId,
  BudgetScope,
  EventId,
  MessageEvent,
  ThreadId,
  TurnId,
  Usage,
  WorkspaceId,
} from "../../runtime/index.ts"
import { Rooms, Sql } from "../../runtime/index.ts"

/** A row of the transcript, parsed. Consecutive user rows are one message when they are sent. */
export interface Line extends ModelMessage {
  readonly heard: number
}

export interface Tail {
  readonly segment: number
  /** The exact frozen text of the segment. */
  readonly frozen: string
  readonly lines: ReadonlyArray<Line>
  /** The last position of the room that the transcript tells of, or that it said itself right behind. */
  readonly heard: number
  /** Words behind `heard` that it tells of as well, with their positions. */
  readonly told: ReadonlyMap<string, number>
}

/** What stands in place of the frozen text of a segment that ends the one before and has no words itself. */
export const broken = ""

export interface OpenStep {
  readonly n: number
  readonly kind: "model" | "tool"
  /** Started and never ended: the outcome is unknown (P6). Pending: never started. */
  readonly state: "started" | "pending"
  /** Where permission was asked for this very input. */
  readonly answer: "yes" | "no" | "expired" | null
  readonly call: string | null
  readonly tool: string | null
  readonly input: string | null
  readonly reserved: number
  readonly scopes: ReadonlyArray<BudgetScope> | null
}

/** A running turn, or one that rests, as the journal knows it. */
export interface LeftTurn {
  readonly id: TurnId
  readonly state: "running" | "waiting"
  readonly event: EventId
  readonly slot: string
  readonly thread: ThreadId
  readonly fence: number
  readonly principal: string
  readonly root: EventId
  readonly hop: number
  readonly segment: number
  readonly taken: number
  readonly attempts: number
  readonly stop: boolean
  readonly startedAt: string
  readonly lastStep: number
  readonly toolCalls: number
  readonly cost: number
  /** Of the model calls that were saved. */
  readonly usages: ReadonlyArray<Usage>
  readonly open: ReadonlyArray<OpenStep>
}

/** The newest segment. */
export const loadTail = Effect.fnUntraced(function* (agent: AgentId, thread: ThreadId) {
  const sql = yield* Sql
  const [newest] = yield* sql.cold<{ segment: number }>(
    "select max(segment) as segment from segment where agent = $1 and thread = $2 having max(segment) is not null",
    [agent, thread],
  )
  return newest === undefined ? undefined : yield* loadSegment(agent, thread, newest.segment)
})

export const loadSegment = Effect.fnUntraced(function* (agent: AgentId, thread: ThreadId, segment: number) {
  const sql = yield* Sql
  const [head] = yield* sql.cold<{ frozen: string }>(
    "select frozen from segment where agent = $1 and thread = $2 and segment = $3",
    [agent, thread, segment],
  )
  if (head === undefined) return undefined
  const rows = yield* sql.cold<{
    role: "user" | "assistant"
    content: string
    heard: number
    turn: TurnId
  }>(
    "select role, content, heard, turn from transcript where agent = $1 and thread = $2 and segment = $3 order by n",
    [agent, thread, segment],
  )
  const lines = rows.map((r): Line => ({
    role: r.role,
    content: JSON.parse(r.content) as Array<Block>,
    heard: r.heard,
  }))
  return {
    segment,
    frozen: head.frozen,
    lines,
    heard: rows[rows.length - 1]?.heard ?? 0,
    told: new Map<string, number>(),
    /** Whose line each is. */
    turns: rows.map((r) => r.turn),
  }
})

/**
 * Ends a segment that the model would refuse again: the next turn starts after it, and is not shown the words that broke it.
 * Committed apart from the turn's end: if that is lost, the next turn is refused once more and comes here again.
 */
export const breakSegment = Effect.fnUntraced(function* (
  agent: AgentId,
  thread: ThreadId,
  tail: { readonly segment: number; readonly heard: number; readonly turn: TurnId },
) {
  const sql = yield* Sql
  yield* sql.cold(
    `with s as (
       insert into segment (agent, thread, segment, frozen) values ($1, $2, $3, $4) on conflict do nothing returning segment)
     insert into transcript (agent, thread, segment, n, turn, role, content, heard)
     select $1, $2, segment, 1, $5, 'user', '[]', $6 from s`,
    [agent, thread, tail.segment + 1, broken, tail.turn, tail.heard],
  )
  return {
    segment: tail.segment + 1,
    frozen: broken,
    lines: [],
    heard: tail.heard,
    told: new Map(),
  } satisfies Tail
})

/**
 * P2: words that stand before `pos`, ask the agent and were not decided: they are due, so they come. Off the hot path: asked only
 * where the room has words in between that this agent was not told.
 */
export const dueBefore = Effect.fnUntraced(function* (of: {
  readonly ws: WorkspaceId
  readonly agent: AgentId
  readonly thread: ThreadId
  readonly pos: number
}) {
  const sql = yield* Sql
  const rows = yield* sql.cold<{ event: EventId }>(
    `select d.event from decision d join event e on e.id = d.event
     where d.ws = $1 and d.state = 'due' and d.slot = $2 and d.thread = $3 and e.pos < $4 limit 100`,
    [of.ws, of.agent, of.thread, of.pos],
  )
  return rows.map((r) => r.event)
})

const leftText = `
select t.id, t.state, t.event, t.slot, t.thread, t.fence::float8 as fence, t.principal, t.root, t.hop, t.segment, t.taken, t.attempts, t.stop,
  t.cost::float8 as cost, t.tools as "toolCalls", to_char(t.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt",
  coalesce((select max(n) from step s where s.turn = t.id), 0) as "lastStep",
  (select coalesce(jsonb_agg(jsonb_build_object('n', s.n, 'kind', s.kind, 'call', s.call, 'tool', s.tool, 'input', s.input,
     'reserved', s.reserved, 'scopes', s.scopes, 'state', s.state, 'answer', (select a.answer from approval a
       where a.turn = s.turn and a.call = s.call and a.input_hash = encode(sha256(convert_to(s.input, 'UTF8')), 'hex')))
     order by s.n), '[]') from step s where s.turn = t.id and s.state in ('started', 'pending')) as open,
  (select coalesce(jsonb_agg(s.usage) filter (where s.usage is not null), '[]') from step s where s.turn = t.id) as usages
from turn t where t.agent = $1`

/** The running turns of an agent; of one thread, also one that rests. */
export const leftTurns = (agent: AgentId, thread?: ThreadId) =>
  Effect.flatMap(Sql, (sql) =>
    thread === undefined
      ? sql.cold<LeftTurn & object>(`${leftText} and t.state = 'running'`, [agent])
      : sql.cold<LeftTurn & object>(`${leftText} and t.thread = $2 and t.state in ('running', 'waiting')`, [
          agent,
          thread,
        ]),
  )

/** Words that joined a turn, in the order they joined. */
export const joinedWords = Effect.fnUntraced(function* (turn: TurnId) {
  const sql = yield* Sql
  const rooms = yield* Rooms
  const rows = yield* sql.cold<{ event: EventId }>(
    "select event from decision where turn = $1 and state = 'joined' order by join_n",
    [turn],
  )
  const found = yield* Effect.forEach(rows, (r) => rooms.message(r.event))
  return found.filter((e): e is MessageEvent => e !== undefined)
})

/**
 * P9: a turn that began in the moment its agent was taken over, unseen by the statement of the takeover, has the fence of the
 * former owner. Whoever holds the agent now raises it.
 */
export const raiseFence = Effect.fnUntraced(function* (turn: TurnId, agent: AgentId, fence: number) {
  const sql = yield* Sql
  const rows = yield* sql.cold(
    `update turn t set fence = $3, attempts = t.attempts + 1 from lease l
     where t.id = $1 and t.fence < $3 and t.state in ('running', 'waiting') and l.name = 'agent:' || $2 and l.fence = $3 returning t.id`,
    [turn, agent, fence],
  )
  return rows.length > 0
})

/** Threads in which words wait for the agent. */
export const queuedThreads = Effect.fnUntraced(function* (agent: AgentId) {
  const sql = yield* Sql
  return yield* sql.cold<{ thread: ThreadId }>(
    "select distinct thread from decision where agent = $1 and state = 'queued'",
    [agent],
  )
})

/** The oldest word that waits for the agent in the thread. */
export const queuedWord = Effect.fnUntraced(function* (agent: AgentId, thread: ThreadId) {
  const sql = yield* Sql
  const rooms = yield* Rooms
  const [row] = yield* sql.cold<{ event: EventId; slot: string }>(
    `select d.event, d.slot from decision d join event e on e.id = d.event
     where d.agent = $1 and d.thread = $2 and d.state = 'queued' order by e.pos limit 1`,
    [agent, thread],
  )
  const event = row === undefined ? undefined : yield* rooms.message(row.event)
  return event === undefined ? undefined : { event, slot: row!.slot }
})

/** What people granted to a root on top of its limit, in micro-dollars. */
export const grantedTo = Effect.fnUntraced(function* (root: EventId) {
  const sql = yield* Sql
  const [row] = yield* sql.cold<{ extra: number }>(
    "select extra::float8 as extra from budget where scope = 'root' and key = $1",
    [root],
  )
  return row?.extra ?? 0
})

/** The thread has an event by that source key. */
export const isKnown = Effect.fnUntraced(function* (thread: ThreadId, key: string) {
  const sql = yield* Sql
  const rows = yield* sql.cold("select 1 from event where thread = $1 and source_key = $2", [thread, key])
  return rows.length > 0
})
