/**
 * A company in small, for the statements alone: agents with lives in several processes, that begin, join, queue, advance, rest,
 * end, crash and are taken over, as actors/ does it, without a model or a bus. What a life knows is lost with it; the next one
 * reads the journal.
 */
import * as Effect from "effect/Effect"
import { leftTurns, raiseFence } from "../../../actors/conversation/ConversationStore.ts"
import type { Random } from "../../../infra/e2e/Random.ts"
import type { AgentId, ThreadId, TurnId } from "../../room/Id.ts"
import { Sql } from "../Sql.ts"
import { advance, type AdvanceRow } from "./Advance.ts"
import { begin, type Scope } from "./Begin.ts"
import { finish, type FinishRow } from "./Finish.ts"
import { rest } from "./Rest.ts"
import { join, queue } from "./Steer.ts"
import { finishing, joining, starting } from "./testRows.ts"
import { run } from "./testStore.ts"

export const statements = (sql: Sql["Service"]) => ({
  sql,
  begin: begin(sql),
  advance: advance(sql),
  finish: finish(sql),
  rest: rest(sql),
  join: join(sql),
  queue: queue(sql),
})
export type Process = ReturnType<typeof statements>

export interface Heard {
  readonly event: string
  readonly thread: string
  readonly slots: ReadonlyArray<string>
  readonly person: string
}

/** What a fiber knows of its turn. */
interface Turn {
  readonly id: string
  readonly event: string
  readonly scopes: ReadonlyArray<Scope>
  readonly segment: number
  /** Answers of joins that are on their way. */
  readonly joins: Set<Promise<unknown>>
  joined: number
  taken: number
  line: number
  step: number
  /** What the open model call has reserved; null where none is open. */
  granted: number | null
  hold: boolean
  resting: boolean
  /** Cut off: whatever its statement in flight says, nobody reads it. */
  cut: boolean
}

const wanted = 100
let serial = 0

export class Life {
  readonly agent: string
  readonly fence: number
  private readonly ws: string
  private readonly p: Process
  private readonly random: Random
  private readonly limits: { readonly root: number; readonly workspace: number }
  private readonly turns = new Map<string, Turn>()
  private readonly work = new Set<Promise<unknown>>()
  alive = true
  /** The end is near: every turn goes straight to its end. */
  calm = false

  constructor(of: {
    readonly agent: string
    readonly fence: number
    readonly ws: string
    readonly process: Process
    readonly random: Random
    readonly limits: { readonly root: number; readonly workspace: number }
  }) {
    this.agent = of.agent
    this.fence = of.fence
    this.ws = of.ws
    this.p = of.process
    this.random = of.random
    this.limits = of.limits
  }

  /** Everything that was begun is over, whatever came of it. */
  async idle(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work)
  }

  /** The process is gone in the middle of whatever it does: what it has sent may be carried out, nobody sees the answers. */
  crash(): void {
    this.alive = false
    for (const turn of this.turns.values()) turn.cut = true
  }

  hear(word: Heard): void {
    const slot = word.slots.includes(this.agent) ? this.agent : word.slots.includes("*") ? "*" : undefined
    if (slot !== undefined) this.does(this.onWord(word, slot))
  }

  /** A stop, or the end of a rest, was told; or what was left is taken up. */
  wake(thread: string): void {
    this.does(this.cutOff(thread))
  }

  /** Words cut off what runs, also in the middle of a statement. */
  async cutOff(thread: string): Promise<void> {
    const turn = this.turns.get(thread)
    if (turn !== undefined) turn.cut = true
    this.turns.delete(thread)
    await this.adopt(thread)
  }

  private does(what: Promise<unknown>): void {
    this.work.add(what)
    void what.finally(() => this.work.delete(what))
  }

  private async onWord({ event, thread, person }: Heard, slot: string): Promise<void> {
    if (!this.alive) return
    const turn = this.turns.get(thread)
    const how = this.random.next()
    if (turn !== undefined) {
      if (how < 0.6) await this.join(turn, event, thread, slot, person)
      else if (how < 0.8) await run(this.p.queue({ event, slot, agent: this.agent, reason: "waits" }))
      return
    }
    const scopes: ReadonlyArray<Scope> = [
      { scope: "root", key: event, period: "", lim: this.limits.root },
      {
        scope: "workspace",
        key: this.ws,
        period: new Date().toISOString().slice(0, 7),
        lim: this.limits.workspace,
      },
    ]
    const segment = ++serial
    const row = starting(event, thread, {
      ws: this.ws,
      slot,
      agent: this.agent,
      fence: this.fence,
      segment,
      scopes,
      wanted,
      principal: person,
    })
    // The answer of the first may be lost: the same words are told again.
    const times = how < 0.2 ? 2 : 1
    const [begun] = await Promise.all(Array.from({ length: times }, () => run(this.p.begin(row))))
    if (begun!.status !== "began" || !this.alive || this.turns.has(thread)) return
    const made: Turn = {
      id: row.turn,
      event,
      scopes,
      segment,
      joins: new Set(),
      joined: 0,
      taken: 0,
      line: 1,
      step: begun!.granted === null ? 0 : 1,
      granted: begun!.granted,
      hold: false,
      resting: false,
      cut: false,
    }
    this.turns.set(thread, made)
    await this.goOn(made, thread)
  }

  private async join(turn: Turn, event: string, thread: string, slot: string, person: string): Promise<void> {
    const row = joining(event, thread, turn.id, {
      ws: this.ws,
      slot,
      agent: this.agent,
      fence: this.fence,
      person,
      events: [this.note(turn)],
    })
    const answer = run(this.p.join(row)).then(({ joined }) => {
      if (joined) turn.joined++
    })
    turn.joins.add(answer)
    await answer.finally(() => turn.joins.delete(answer))
  }

  /** The loop of a turn. A statement that is refused found the journal further than this life knew: it reads it again. */
  private async goOn(turn: Turn, thread: string): Promise<void> {
    const mine = () => this.alive && !turn.cut
    const over = () => {
      if (this.turns.get(thread) === turn) this.turns.delete(thread)
    }
    while (mine()) {
      const how = this.calm ? 1 : this.random.next()
      try {
        let written: boolean
        if (turn.granted === null) {
          turn.resting = await this.rest(turn, thread, "money", [])
          written = false
        } else if (turn.hold || how < 0.15) {
          const pending = turn.hold
            ? []
            : Array.from({ length: 1 + Math.floor(this.random.next() * 2) }, (_, i) => turn.step + 1 + i)
          turn.resting = await this.rest(turn, thread, turn.hold ? "wait" : "approval", pending)
          written = false
        } else if (how < 0.45)
          written =
            (await this.saveAndStart(turn, thread)) &&
            (!mine() || (await this.next(turn, thread, [turn.step])))
        else {
          const { status } = await run(this.p.finish(this.ending(turn, thread, { state: "finished" })))
          if (!mine()) return
          if (status === "done") return over()
          written = status === "joined"
          await Promise.all(turn.joins)
          if (written) written = await this.next(turn, thread, [])
        }
        if (!mine()) return
        if (!written) {
          if (turn.resting) return
          over()
          // Stopped, or fenced: the journal knows.
          return await this.adopt(thread)
        }
      } catch (error) {
        if (!mine()) return
        if (!(error instanceof Error) || !("kind" in error) || error.kind !== "refused") throw error
        over()
        return await this.adopt(thread)
      }
    }
  }

  private place(turn: Turn, thread: string) {
    return {
      turn: turn.id,
      agent: this.agent,
      thread,
      door: "d",
      segment: turn.segment,
      fence: this.fence,
      frozen: null,
    }
  }

  /** Who wrote it: in the log of a turn no fence stands behind a higher one (P9). */
  private note(turn: Turn) {
    return { id: `n${++serial}`, kind: "turn", body: { turn: turn.id, fence: this.fence } }
  }

  private released(turn: Turn, cost: number) {
    return turn.granted === null ? [] : [{ scopes: turn.scopes, reserved: turn.granted, spent: cost }]
  }

  private cost(turn: Turn): number {
    return Math.floor(this.random.next() * ((turn.granted ?? 0) + 1))
  }

  /** S4. */
  private async saveAndStart(turn: Turn, thread: string): Promise<boolean> {
    const cost = this.cost(turn)
    const out = await run(
      this.p.advance({
        ...this.place(turn, thread),
        taken: turn.taken,
        ended: [{ n: turn.step, state: "saved", cost, usage: null }],
        started: [{ n: turn.step + 1, kind: "tool", call: `c${turn.step + 1}`, tool: "shell", input: "{}" }],
        wanted: null,
        least: 0,
        scopes: [],
        release: this.released(turn, cost),
        rows: [{ n: turn.line + 1, role: "assistant", content: "[]", heard: 0 }],
        events: [this.note(turn)],
      }),
    )
    turn.line++
    turn.step++
    turn.granted = null
    turn.hold = out.hold
    return out.written
  }

  /** S5: what joined is taken in, the model is called. `tools` are those that ran. */
  private async next(
    turn: Turn,
    thread: string,
    tools: ReadonlyArray<number>,
    unknown = false,
  ): Promise<boolean> {
    const cost = unknown ? (turn.granted ?? 0) : this.cost(turn)
    const model =
      turn.granted === null
        ? []
        : [{ n: turn.step, state: unknown ? "unknown" : "saved", cost, usage: null } as const]
    const lines =
      tools.length > 0 || turn.joined > turn.taken
        ? [{ n: turn.line + 1, role: "user", content: "[]", heard: 0 } as const]
        : []
    const taken = turn.joined
    const row: AdvanceRow = {
      ...this.place(turn, thread),
      taken,
      ended: [
        ...model,
        ...tools.map((n) => ({ n, state: unknown ? "unknown" : "saved", cost: 0, usage: null }) as const),
      ],
      started: [{ n: turn.step + 1, kind: "model", call: null, tool: null, input: null }],
      wanted,
      least: 10,
      scopes: turn.scopes,
      release: this.released(turn, cost),
      rows: lines,
      events: [this.note(turn)],
    }
    const out = await run(this.p.advance(row))
    turn.line += lines.length
    turn.step++
    turn.taken = taken
    turn.granted = out.granted
    turn.hold = out.hold
    return out.written
  }

  /** S5r. False: the turn is no longer ours. */
  private async rest(
    turn: Turn,
    thread: string,
    reason: "approval" | "money" | "wait",
    asked: ReadonlyArray<number>,
  ): Promise<boolean> {
    const cost = this.cost(turn)
    const { rested } = await run(
      this.p.rest({
        ...this.place(turn, thread),
        ws: this.ws,
        event: turn.event,
        signature: null,
        part: 1000 + ++serial,
        text: "May I?",
        above: "",
        actions: null,
        reason,
        taken: turn.taken,
        ended: turn.granted === null ? [] : [{ n: turn.step, state: "saved", cost, usage: null }],
        pending: asked.map((n) => ({ n, call: `c${n}`, tool: "shell", input: "{}" })),
        approvals: asked.map((n) => ({ call: `c${n}`, tool: "shell", summary: "shell", hash: hashOfEmpty })),
        release: this.released(turn, cost),
        rows: asked.length === 0 ? [] : [{ n: turn.line + 1, role: "assistant", content: "[]", heard: 0 }],
        events: [this.note(turn)],
      }),
    )
    return rested
  }

  private ending(turn: Turn, thread: string, over: Partial<FinishRow>): FinishRow {
    const cost = over.state === "stopped" ? (turn.granted ?? 0) : this.cost(turn)
    return finishing(turn.id, thread, {
      ws: this.ws,
      agent: this.agent,
      fence: this.fence,
      segment: turn.segment,
      taken: turn.taken,
      ended: turn.granted === null ? [] : [{ n: turn.step, state: "saved", cost, usage: null }],
      release: this.released(turn, cost),
      ...over,
    })
  }

  /** P6, P9: what the journal has as running here and no fiber of this life works on. */
  async adopt(thread: string): Promise<void> {
    if (!this.alive || this.turns.has(thread)) return
    const provide = <A, E>(effect: Effect.Effect<A, E, Sql>) =>
      run(Effect.provideService(effect, Sql, this.p.sql))
    const [left] = await provide(leftTurns(this.agent as AgentId, thread as ThreadId))
    if (left === undefined || left.fence > this.fence || !this.alive || this.turns.has(thread)) return
    if (left.fence < this.fence && !(await provide(raiseFence(left.id, this.agent as AgentId, this.fence))))
      return
    const [journal] = await run(
      this.p.sql.cold<{ joined: number; line: number; root: string }>(
        `select (select count(*)::int from decision where turn = $1 and state = 'joined') as joined,
           (select coalesce(max(n), 0)::int from transcript where turn = $1) as line`,
        [left.id as TurnId],
      ),
    )
    if (!this.alive || this.turns.has(thread)) return
    const model = left.open.find((s) => s.kind === "model")
    const turn: Turn = {
      id: left.id,
      event: left.event,
      scopes: left.open.find((s) => s.scopes !== null)?.scopes ?? [
        { scope: "root", key: left.root, period: "", lim: this.limits.root },
        {
          scope: "workspace",
          key: this.ws,
          period: new Date().toISOString().slice(0, 7),
          lim: this.limits.workspace,
        },
      ],
      segment: left.segment,
      joins: new Set(),
      joined: journal!.joined,
      taken: left.taken,
      line: journal!.line,
      step: left.lastStep,
      granted: model?.reserved ?? null,
      hold: false,
      resting: left.state === "waiting",
      cut: false,
    }
    this.turns.set(thread, turn)
    if (left.stop) {
      turn.taken = turn.joined
      await run(this.p.finish(this.ending(turn, thread, { state: "stopped" })))
      if (this.turns.get(thread) === turn) this.turns.delete(thread)
      return
    }
    if (turn.resting) return
    const tools = left.open.flatMap((s) => (s.kind === "tool" ? [s.n] : []))
    try {
      if (!(await this.next(turn, thread, tools, true))) {
        if (this.turns.get(thread) === turn) this.turns.delete(thread)
        return
      }
    } catch {
      // The statement of an earlier life came between: it is read again when somebody wakes us.
      if (this.turns.get(thread) === turn) this.turns.delete(thread)
      return
    }
    await this.goOn(turn, thread)
  }
}

/** SHA-256 of `{}`. */
const hashOfEmpty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
