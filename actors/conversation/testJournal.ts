/**
 * A journal in memory for one turn after the other, that crashes at a chosen statement: before it commits, or after it
 * committed and before anybody is told. What it holds then is all that is left.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Journal, MessageEvent, TranscriptRow, TurnId, EventId, ThreadId } from "../../runtime/index.ts"
import type { LeftTurn, Line } from "./ConversationStore.ts"
import type { Block } from "../../integrations/anthropic/index.ts"

type Advance = Parameters<Journal["Service"]["advance"]>[0]
type Finish = Parameters<Journal["Service"]["finish"]>[0]
type Rest = Parameters<Journal["Service"]["rest"]>[0]
export type Answer = "yes" | "no" | "expired"
interface Step {
  readonly n: number
  readonly kind: "model" | "tool"
  readonly call: string | null
  readonly tool: string | null
  readonly input: string | null
  state: string
}

export class TestJournal {
  readonly rows = new Map<number, Array<TranscriptRow & { readonly turn: string }>>()
  readonly joined: Array<MessageEvent> = []
  steps: Array<Step> = []
  /** The steps of all turns. */
  readonly told: Array<Step> = []
  turn = ""
  segment = 1
  taken = 0
  ended = false
  said = ""
  state: "running" | "waiting" = "running"
  /** Told to wait: the turn rests at its next boundary. */
  hold = false
  /** What a person was asked to allow, by call. */
  readonly approvals = new Map<string, Answer | null>()
  /** Statements until the crash, and whether that one commits. */
  private left = Infinity
  private commits = false
  private crashed = Deferred.makeUnsafe<void>()
  /** Called before each statement: words may join here, as they may at any time. */
  before: () => void = () => {}

  begin(turn: string, line: Line): void {
    this.turn = turn
    this.steps = [{ n: 1, kind: "model", call: null, tool: null, input: null, state: "started" }]
    this.joined.length = 0
    this.taken = 0
    this.ended = false
    this.state = "running"
    this.hold = false
    this.append([{ n: this.lines().lines.length + 1, ...line, content: JSON.stringify(line.content) }])
  }

  crashAt(statements: number, commits: boolean): Effect.Effect<void> {
    this.left = statements
    this.commits = commits
    this.crashed = Deferred.makeUnsafe<void>()
    return Deferred.await(this.crashed)
  }

  /** What a person says to a turn that rests; it goes on when nothing is asked any more. */
  answer(next: () => Answer): void {
    for (const [call, answer] of this.approvals) if (answer === null) this.approvals.set(call, next())
    this.state = "running"
  }

  lines(): { readonly lines: ReadonlyArray<Line>; readonly turns: ReadonlyArray<TurnId> } {
    const rows = this.rows.get(this.segment) ?? []
    return {
      lines: rows.map((r) => ({
        role: r.role,
        heard: r.heard,
        content: JSON.parse(r.content) as Array<Block>,
      })),
      turns: rows.map((r) => r.turn as TurnId),
    }
  }

  leftTurn(event: MessageEvent): LeftTurn {
    return {
      id: this.turn as TurnId,
      event: event.id,
      state: this.state,
      slot: "ada",
      thread: "room" as ThreadId,
      fence: 1,
      principal: event.principal,
      root: "root" as EventId,
      hop: 0,
      segment: this.segment,
      taken: this.taken,
      attempts: 1,
      stop: false,
      startedAt: new Date(0).toISOString(),
      lastStep: Math.max(...this.steps.map((s) => s.n)),
      toolCalls: 0,
      cost: 0,
      usages: [],
      open: this.steps
        .filter((s) => s.state === "started" || s.state === "pending")
        .map((s) => ({
          ...s,
          state: s.state as "started" | "pending",
          answer: this.approvals.get(s.call ?? "") ?? null,
          reserved: 1000,
          scopes: [],
        })),
    }
  }

  readonly service = {
    advance: (row: Advance) =>
      this.statement(() => {
        this.segment = row.segment
        this.taken = Math.max(this.taken, row.taken)
        this.endSteps(row.ended)
        this.append(row.rows)
        for (const s of row.started) this.start(s, "started")
        return { written: true, granted: row.wanted === null ? null : 1_000_000, hold: this.hold }
      }),
    rest: (row: Rest) =>
      this.statement(() => {
        this.segment = row.segment
        this.taken = Math.max(this.taken, row.taken)
        this.endSteps(row.ended)
        this.append(row.rows)
        for (const s of row.pending) this.start({ ...s, kind: "tool" }, "pending")
        for (const { call } of row.approvals) this.approvals.set(call, null)
        this.state = "waiting"
        this.hold = false
        return { rested: true, parcel: null, first: null, events: [] }
      }),
    finish: (row: Finish) =>
      this.statement(() => {
        const base = { events: [], parcel: null, next: null }
        if (row.taken !== this.joined.length) return { ...base, status: "joined" as const }
        this.endSteps(row.ended)
        this.append(row.rows)
        this.ended = true
        this.said = row.text
        return { ...base, status: "done" as const }
      }),
  } as unknown as Journal["Service"]

  /** As the statements do, it refuses to end what is not open. */
  private endSteps(ended: Advance["ended"]): void {
    for (const e of ended) {
      const step = this.steps.find((s) => s.n === e.n)
      if (step?.state !== "started" && step?.state !== "pending") throw new Error(`step ${e.n} is not open`)
      step.state = e.state
    }
  }

  /** A call that was started before it was told to wait did not run; one that waited starts. Else a step is new. */
  private start(step: Omit<Step, "state">, state: "started" | "pending"): void {
    const known = this.steps.find((s) => s.n === step.n)
    if (known === undefined) {
      const made = { ...step, state }
      this.steps.push(made)
      this.told.push(made)
    } else if (known.state === (state === "started" ? "pending" : "started")) known.state = state
    else throw new Error(`step ${step.n} was ${known.state}`)
  }

  /** As the table does, it refuses a second row in one place. */
  private append(rows: ReadonlyArray<TranscriptRow>): void {
    const all = this.rows.get(this.segment) ?? []
    this.rows.set(this.segment, all)
    for (const row of rows) {
      if (row.n !== all.length + 1) throw new Error(`row ${row.n} where ${all.length + 1} is next`)
      all.push({ ...row, turn: this.turn })
    }
  }

  private statement<A>(commit: () => A): Effect.Effect<A> {
    return Effect.suspend(() => {
      this.before()
      const crashes = --this.left <= 0
      if (crashes && !this.commits) return this.crash()
      const out = commit()
      return crashes ? this.crash() : Effect.succeed(out)
    })
  }

  private crash(): Effect.Effect<never> {
    return Effect.andThen(Deferred.succeed(this.crashed, undefined), Effect.never)
  }
}
