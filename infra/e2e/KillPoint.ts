/** Where the runtime can be killed: around the n-th execution of a statement that holds these words. */
export interface KillPoint {
  readonly statement: string
  readonly when: "before" | "after"
  readonly nth?: number
}

/** Words by which the statements of the hot path (DESIGN.md section 4) are known; each stands in one statement only. */
export const statements = {
  accept: "insert into inbox (door",
  published: "update thread t set published",
  begin: "insert into turn (id",
  said: "set platform_id = b.platform_id",
  advance: "set taken = greatest(t.taken",
  join: "set state = 'joined'",
  queue: "set state = 'queued'",
  finish: "usage = b.usage, ended_at = now(), taken = b.taken",
  parts: "on conflict do nothing returning turn, part",
  delivered: "update outbox o set state = b.state",
  speak: "d.slot = n.agent and d.state = 'due'",
  rest: "set state = 'waiting', reason = b.reason",
  remark: "last_said int, due jsonb)",
  order: "d.slot = '!' and d.state = 'due' for update",
  triage: "'triage', 'started', g.amount",
  found: "set state = 'done', agent = b.agent",
  take: "insert into lease (name",
} as const

export const before = (statement: keyof typeof statements, nth = 1): KillPoint => ({
  statement: statements[statement],
  when: "before",
  nth,
})
export const after = (statement: keyof typeof statements, nth = 1): KillPoint => ({
  statement: statements[statement],
  when: "after",
  nth,
})
