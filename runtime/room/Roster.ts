/**
 * Who works where, in memory: agents, doors and memberships of the workspace, rebuilt from Postgres at start and whenever
 * the configuration was applied (told by `control.config`). Reading it costs nothing on the hot path.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Bus } from "../bus/Bus.ts"
import { controlSubject } from "../bus/Subject.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { AgentId, DoorId, WorkspaceId } from "./Id.ts"
import type { Mode } from "./Order.ts"

export interface Agent {
  readonly id: AgentId
  readonly name: string
  readonly title: string
  /** Null: the model of the process (TROUPE_MODEL). */
  readonly model: string | null
  readonly soul: string
  readonly interests: ReadonlyArray<string>
  /** `outside`: a program that hears and speaks over NATS by itself; nothing here runs for it. */
  readonly kind: "inside" | "outside"
  /** How words reach it while it works; null: as the door says. */
  readonly steering: Mode | null
  /** Open words that are older, in minutes, when it hears them are left alone. */
  readonly patience: number
  /** Hosts that its computer may reach; null: as its owner set it. */
  readonly network: ReadonlyArray<string> | null
  /** By tool; what is not named is allowed. */
  readonly permissions: Readonly<Record<string, Permission>>
}

/** Whether an agent may use a tool: always, when a person with the right says so each time, or never. */
export type Permission = "allow" | "ask" | "deny"

export interface Door {
  readonly id: DoorId
  readonly name: string
  readonly type: string
  /** How open words are answered in groups behind this door. */
  readonly triage: "off" | "interests" | "model"
  /** How words reach an agent at work. */
  readonly steering: Mode
  /** Words are said on an outside platform (the outbox); the web door shows the room log itself. */
  readonly platform: boolean
  /** Agents behind the door, with the time each joined. */
  readonly members: ReadonlyArray<{ readonly agent: Agent; readonly since: string }>
}

export interface Company {
  readonly agents: ReadonlyMap<AgentId, Agent>
  readonly doors: ReadonlyMap<DoorId, Door>
}

export class Roster extends Context.Service<
  Roster,
  {
    readonly ws: WorkspaceId
    /** The company as it is known now. */
    readonly now: () => Company
    readonly reload: Effect.Effect<void, StoreError>
    /** Called after each reload that changed something; returns the way to stop listening. */
    readonly onChange: (listener: (company: Company) => void) => () => void
  }
>()("troupe/room/Roster") {
  static readonly layer = (ws: WorkspaceId) =>
    Layer.effect(
      Roster,
      Effect.gen(function* () {
        const sql = yield* Sql
        const bus = yield* Bus
        const listeners = new Set<(company: Company) => void>()
        let text = ""
        let company: Company = { agents: new Map(), doors: new Map() }
        const reload = Effect.gen(function* () {
          const [row] = yield* sql.cold<Row>(companyText, [ws])
          const next = JSON.stringify(row)
          if (next === text) return
          text = next
          company = fromRow(row!)
          for (const listener of listeners) listener(company)
        })
        yield* reload
        const services = yield* Effect.context<never>()
        yield* bus.listen(controlSubject(ws, "config"), () => {
          Effect.runForkWith(services)(
            reload.pipe(
              Effect.catch((e) => Effect.logWarning(`could not read the company again: ${e.message}`)),
            ),
          )
        })
        return Roster.of({
          ws,
          now: () => company,
          reload,
          onChange: (listener) => {
            listeners.add(listener)
            return () => listeners.delete(listener)
          },
        })
      }),
    )
}

interface Row {
  readonly agents: ReadonlyArray<
    Omit<Agent, "kind" | "steering" | "patience" | "network" | "permissions"> & {
      settings: Partial<Pick<Agent, "kind" | "steering" | "patience" | "network" | "permissions">>
    }
  >
  readonly doors: ReadonlyArray<{
    id: DoorId
    name: string
    type: string
    triage: Door["triage"] | null
    steering: Mode | null
  }>
  readonly members: ReadonlyArray<{ agent: AgentId; door: DoorId; since: string }>
}

const companyText = `
select
  (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'title', title, 'model', model, 'soul', soul,
     'interests', interests, 'settings', settings) order by name), '[]') from agent where ws = $1 and removed_at is null) as agents,
  (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'type', type, 'triage', settings->>'triage',
     'steering', settings->>'steering') order by name), '[]')
     from door where ws = $1 and removed_at is null) as doors,
  (select coalesce(jsonb_agg(jsonb_build_object('agent', m.agent, 'door', m.door, 'since',
     to_char(m.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by m.door, a.name), '[]')
     from member m join agent a on a.id = m.agent where a.ws = $1 and a.removed_at is null) as members`

/** Minutes. */
export const usualPatience = 10

const fromRow = (row: Row): Company => {
  const agents = new Map(
    row.agents.map(({ settings, ...a }): readonly [AgentId, Agent] => [
      a.id,
      {
        ...a,
        kind: "inside",
        steering: null,
        patience: usualPatience,
        network: null,
        permissions: {},
        ...settings,
      },
    ]),
  )
  const doors = new Map<DoorId, Door>()
  for (const d of row.doors) {
    const members = row.members.flatMap((m) => {
      const agent = agents.get(m.agent)
      return m.door === d.id && agent !== undefined ? [{ agent, since: m.since }] : []
    })
    doors.set(d.id, {
      ...d,
      triage: d.triage ?? "off",
      steering: d.steering ?? "join",
      platform: d.type !== "web",
      members,
    })
  }
  return { agents, doors }
}
