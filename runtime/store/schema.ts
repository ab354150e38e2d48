/**
 * The truth: every table Troupe has. The hot path writes them by the named statements in `hot/`, one statement a step;
 * migrations are generated from this file (`npm run migrations`) and checked in. Money is whole micro-dollars.
 */
import { sql } from "drizzle-orm"
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core"

const time = (name: string) => timestamp(name, { withTimezone: true })
const micros = (name: string) => bigint(name, { mode: "number" })
const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" })

/** P9: a process is alive while it holds its session advisory lock (`lock_key`) and its heartbeat is fresh. */
export const process = pgTable("process", {
  id: text().primaryKey(),
  lockKey: bigint("lock_key", { mode: "number" }).notNull(),
  host: text().notNull(),
  pid: integer().notNull(),
  startedAt: time("started_at").notNull().defaultNow(),
  beatAt: time("beat_at").notNull().defaultNow(),
})

/** P9: every single thing has one owner; the fence rises with each takeover. */
export const lease = pgTable("lease", {
  name: text().primaryKey(),
  process: text(),
  fence: bigint({ mode: "number" }).notNull().default(0),
})

export const workspace = pgTable("workspace", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
})

export const agent = pgTable(
  "agent",
  {
    id: text().primaryKey(),
    ws: text().notNull(),
    name: text().notNull(),
    title: text().notNull(),
    model: text(),
    soul: text().notNull(),
    interests: jsonb().notNull().default([]),
    /** {kind, steering, patience, permissions}: what of it differs from the default. */
    settings: jsonb().notNull().default({}),
    /** `file`: troupe.yaml says all of it, and that it leaves. `page`: made by people on the page. */
    origin: text().notNull().default("file"),
    removedAt: time("removed_at"),
  },
  (t) => [unique().on(t.ws, t.name)],
)

/** A configured integration. Secrets are rows of `secret`, never in `settings`. */
export const door = pgTable(
  "door",
  {
    id: text().primaryKey(),
    ws: text().notNull(),
    name: text().notNull(),
    type: text().notNull(),
    settings: jsonb().notNull(),
    removedAt: time("removed_at"),
  },
  (t) => [unique().on(t.ws, t.name)],
)

export const secret = pgTable(
  "secret",
  {
    owner: text().notNull(),
    name: text().notNull(),
    sealed: jsonb().notNull(),
    lastFour: text("last_four").notNull(),
    changedAt: time("changed_at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.owner, t.name] })],
)

export const member = pgTable(
  "member",
  {
    agent: text().notNull(),
    door: text().notNull(),
    since: time("since").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.agent, t.door] })],
)

/** P13: a person of the company; `role` is owner, operator, member or viewer. */
export const person = pgTable("person", {
  id: text().primaryKey(),
  ws: text().notNull(),
  name: text().notNull(),
  role: text().notNull(),
  at: time("at").notNull().defaultNow(),
})

/** P13: an account behind a door, by the platform's own id, and whose it is. `<door>:<external user>` is a principal. */
export const identity = pgTable(
  "identity",
  {
    door: text().notNull(),
    externalUser: text("external_user").notNull(),
    person: text().notNull(),
    at: time("at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.door, t.externalUser] }), index("identity_person").on(t.person)],
)

/** A room. `head` is the last position given, `said` the last that is a message, `published` the relay's cursor. */
export const thread = pgTable(
  "thread",
  {
    id: text().primaryKey(),
    ws: text().notNull(),
    door: text().notNull(),
    channel: text().notNull(),
    title: text().notNull(),
    head: integer().notNull().default(0),
    said: integer().notNull().default(0),
    published: integer().notNull().default(0),
    openedAt: time("opened_at").notNull().defaultNow(),
    lastAt: time("last_at").notNull().defaultNow(),
  },
  (t) => [
    unique().on(t.ws, t.door, t.channel),
    index("thread_unpublished")
      .on(t.ws)
      .where(sql`head > published`),
    index("thread_last").on(t.ws, t.lastAt.desc()),
  ],
)

/** P1: a delivery is accepted once by (door, external id). Kept at least 8 days. */
export const inbox = pgTable(
  "inbox",
  {
    door: text().notNull(),
    externalId: text("external_id").notNull(),
    raw: jsonb(),
    at: time("at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.door, t.externalId] }), index("inbox_at").using("brin", t.at)],
)

/** P2: the room log. */
export const event = pgTable(
  "event",
  {
    thread: text().notNull(),
    pos: integer().notNull(),
    prev: integer().notNull(),
    id: text().notNull().unique(),
    kind: text().notNull(),
    sourceKey: text("source_key"),
    edits: text(),
    at: time("at").notNull().defaultNow(),
    body: jsonb().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.thread, t.pos] }),
    uniqueIndex("event_source")
      .on(t.thread, t.sourceKey)
      .where(sql`source_key is not null`),
    index("event_edits")
      .on(t.edits)
      .where(sql`edits is not null`),
  ],
)

/** P4, P5: one row per slot (an addressed agent, or `*`). `join_n` numbers what joined a turn, in order. */
export const decision = pgTable(
  "decision",
  {
    event: text().notNull(),
    slot: text().notNull(),
    thread: text().notNull(),
    ws: text().notNull(),
    state: text().notNull(),
    agent: text(),
    turn: text(),
    reason: text(),
    evidence: jsonb(),
    joinN: integer("join_n"),
    repairs: integer().notNull().default(0),
    dueAt: time("due_at").notNull().defaultNow(),
    at: time("at"),
  },
  (t) => [
    primaryKey({ columns: [t.event, t.slot] }),
    index("decision_due")
      .on(t.ws, t.dueAt)
      .where(sql`state = 'due'`),
    index("decision_queued")
      .on(t.agent, t.thread)
      .where(sql`state = 'queued'`),
    index("decision_turn")
      .on(t.turn)
      .where(sql`turn is not null`),
  ],
)

export const turn = pgTable(
  "turn",
  {
    id: text().primaryKey(),
    ws: text().notNull(),
    event: text().notNull(),
    slot: text().notNull(),
    agent: text().notNull(),
    thread: text().notNull(),
    door: text().notNull(),
    fence: bigint({ mode: "number" }).notNull(),
    principal: text().notNull(),
    root: text().notNull(),
    hop: integer().notNull(),
    segment: integer().notNull(),
    state: text().notNull(),
    stop: boolean().notNull().default(false),
    /** Told to wait: it rests at its next boundary. */
    hold: boolean().notNull().default(false),
    joined: integer().notNull().default(0),
    taken: integer().notNull().default(0),
    /** Times this turn was adopted after a crash without getting a step further (P11). */
    attempts: integer().notNull().default(0),
    reason: text(),
    usage: jsonb(),
    cost: micros("cost").notNull().default(0),
    tools: integer().notNull().default(0),
    startedAt: time("started_at").notNull().defaultNow(),
    endedAt: time("ended_at"),
  },
  (t) => [
    unique().on(t.event, t.agent),
    uniqueIndex("turn_running")
      .on(t.agent, t.thread)
      .where(sql`state in ('running', 'waiting')`),
    index("turn_open")
      .on(t.thread)
      .where(sql`state in ('running', 'waiting')`),
    index("turn_led").on(t.thread, t.principal, t.startedAt.desc()),
  ],
)

/** P6: the journal. A step found `started` after a crash is unknown, never failed; a `pending` one waits to be allowed. */
export const step = pgTable(
  "step",
  {
    turn: text().notNull(),
    n: integer().notNull(),
    kind: text().notNull(),
    state: text().notNull(),
    call: text(),
    tool: text(),
    input: text(),
    reserved: micros("reserved").notNull().default(0),
    cost: micros("cost").notNull().default(0),
    scopes: jsonb(),
    usage: jsonb(),
    startedAt: time("started_at").notNull().defaultNow(),
    endedAt: time("ended_at"),
  },
  (t) => [primaryKey({ columns: [t.turn, t.n] })],
)

/** A tool call that somebody has to allow. The answer is given once; the step of the same turn and call has the input that runs. */
export const approval = pgTable(
  "approval",
  {
    turn: text().notNull(),
    call: text().notNull(),
    ws: text().notNull(),
    thread: text().notNull(),
    agent: text().notNull(),
    principal: text().notNull(),
    tool: text().notNull(),
    summary: text().notNull(),
    /** SHA-256 of the exact input, in hex. */
    inputHash: text("input_hash").notNull(),
    /** `yes`, `no` or `expired`; null while it is asked. */
    answer: text(),
    /** The person who answered, as a principal. */
    answeredBy: text("answered_by"),
    askedAt: time("asked_at").notNull().defaultNow(),
    answeredAt: time("answered_at"),
  },
  (t) => [
    primaryKey({ columns: [t.turn, t.call] }),
    index("approval_open")
      .on(t.ws, t.askedAt)
      .where(sql`answer is null`),
  ],
)

/** P12: what is frozen for a segment, as the exact text that was sent. `heard` is the position it starts after. */
export const segment = pgTable(
  "segment",
  {
    agent: text().notNull(),
    thread: text().notNull(),
    segment: integer().notNull(),
    frozen: text().notNull(),
    at: time("at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.agent, t.thread, t.segment] })],
)

/** P12: append-only. `content` is the exact JSON text of the blocks; `heard` the last position it tells of. */
export const transcript = pgTable(
  "transcript",
  {
    agent: text().notNull(),
    thread: text().notNull(),
    segment: integer().notNull(),
    n: integer().notNull(),
    turn: text().notNull(),
    role: text().notNull(),
    content: text().notNull(),
    heard: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.agent, t.thread, t.segment, t.n] })],
)

/** P8: one row per message on the platform. `creating` -> `created` (id known) -> `done`; `text` is null until it is final. */
export const outbox = pgTable(
  "outbox",
  {
    turn: text().notNull(),
    part: integer().notNull(),
    door: text().notNull(),
    thread: text().notNull(),
    agent: text().notNull(),
    channel: text().notNull(),
    replyTo: text("reply_to"),
    signature: text().notNull().default(""),
    state: text().notNull(),
    platformId: text("platform_id"),
    text: text(),
    /** What can be pressed below the words: [{label, order}]; null once it is answered. */
    actions: jsonb(),
    /** The file that the words come with, as an attachment. */
    file: jsonb(),
    fence: bigint({ mode: "number" }).notNull(),
    at: time("at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.turn, t.part] }),
    index("outbox_platform").on(t.door, t.channel, t.platformId),
    index("outbox_open")
      .on(t.door)
      .where(sql`state in ('creating', 'created')`),
    index("outbox_buttons")
      .on(t.door)
      .where(sql`actions is not null`),
  ],
)

/** P10: reserved before, settled after; `period` is empty, a day (2026-11-24) or a month (2026-11). */
export const budget = pgTable(
  "budget",
  {
    scope: text().notNull(),
    key: text().notNull(),
    period: text().notNull(),
    lim: micros("lim").notNull(),
    reserved: micros("reserved").notNull().default(0),
    spent: micros("spent").notNull().default(0),
    /** What people granted on top of the limit. */
    extra: micros("extra").notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.scope, t.key, t.period] })],
)

export const spriteSession = pgTable(
  "sprite_session",
  {
    agent: text().notNull(),
    thread: text().notNull(),
    machine: text().notNull(),
    session: text().notNull(),
    cwd: text().notNull(),
    state: text().notNull(),
    lastUsedAt: time("last_used_at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.agent, t.thread] })],
)

export const blob = pgTable("blob", {
  id: text().primaryKey(),
  name: text().notNull(),
  mime: text().notNull(),
  size: integer().notNull(),
  bytes: bytea().notNull(),
  at: time("at").notNull().defaultNow(),
})

/** A link that waits for its second proof. The code itself is not kept. */
export const link = pgTable("link", {
  code: text().primaryKey(),
  door: text().notNull(),
  externalUser: text("external_user").notNull(),
  toDoor: text("to_door").notNull(),
  toUser: text("to_user").notNull(),
  expiresAt: time("expires_at").notNull(),
})

/** A browser of a person, by the hash of its cookie. `proved_at`: when the person last showed that it is them. */
export const session = pgTable(
  "session",
  {
    hash: text().primaryKey(),
    person: text().notNull(),
    agent: text().notNull().default(""),
    since: time("since").notNull().defaultNow(),
    seenAt: time("seen_at").notNull().defaultNow(),
    provedAt: time("proved_at").notNull().defaultNow(),
  },
  (t) => [index("session_person").on(t.person)],
)

/** A way in that works once, by its hash. Without a person it makes the first owner. */
export const entrance = pgTable("entrance", {
  hash: text().primaryKey(),
  person: text(),
  expiresAt: time("expires_at").notNull(),
})

/** What a program calls the API with; never more than its person may. */
export const token = pgTable(
  "token",
  {
    id: text().primaryKey(),
    hash: text().notNull().unique(),
    person: text().notNull(),
    name: text().notNull(),
    role: text().notNull(),
    at: time("at").notNull().defaultNow(),
    usedAt: time("used_at"),
    expiresAt: time("expires_at"),
  },
  (t) => [index("token_person").on(t.person)],
)

/**
 * Who changed what. Append-only (a trigger refuses all else), and each row carries the hash of the one before it, so that
 * whoever changes the table around the trigger is found.
 */
export const audit = pgTable(
  "audit",
  {
    ws: text().notNull(),
    n: integer().notNull(),
    at: time("at").notNull().defaultNow(),
    /** `{id, name, via}`. */
    who: jsonb().notNull(),
    action: text().notNull(),
    subject: jsonb().notNull(),
    detail: jsonb(),
    hash: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.ws, t.n] })],
)

/** A stranger behind a door, and the code by which an owner lets them in. */
export const pairing = pgTable(
  "pairing",
  {
    door: text().notNull(),
    externalUser: text("external_user").notNull(),
    /** As they call themselves. */
    name: text().notNull(),
    code: text().notNull().unique(),
    at: time("at").notNull().defaultNow(),
    expiresAt: time("expires_at").notNull(),
    approvedAt: time("approved_at"),
  },
  (t) => [primaryKey({ columns: [t.door, t.externalUser] })],
)
