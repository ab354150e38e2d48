/**
 * Agents as people see and make them. What troupe.yaml declares, it alone changes; what was made on the page stays until somebody
 * lets it go. A change is one statement, then the company is told to read itself again.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { freeze, thaw, toolsFor, Workplace } from "../../actors/conversation/index.ts"
import {
  type Agent,
  type AgentId,
  Bus,
  newId,
  Roster,
  Sql,
  type StoreError,
  Subject,
  usualPatience,
} from "../../runtime/index.ts"
import type { AgentDetail, AgentDraft, Decision, Prompt } from "../api/index.ts"

export class AgentsDesk extends Context.Service<
  AgentsDesk,
  {
    readonly details: Effect.Effect<ReadonlyArray<AgentDetail>, StoreError>
    readonly decisions: (agent: string) => Effect.Effect<ReadonlyArray<Decision>, StoreError>
    readonly preview: (draft: AgentDraft) => Effect.Effect<Prompt>
    /** Null: the name is taken. */
    readonly add: (draft: AgentDraft) => Effect.Effect<AgentId | null, StoreError>
    /** False: there is no such agent, its name is taken, or troupe.yaml declares it. */
    readonly change: (agent: string, draft: AgentDraft) => Effect.Effect<boolean, StoreError>
    readonly remove: (agent: string) => Effect.Effect<boolean, StoreError>
  }
>()("troupe/admin/AgentsDesk") {
  static readonly layer = Layer.effect(
    AgentsDesk,
    Effect.gen(function* () {
      const sql = yield* Sql
      const bus = yield* Bus
      const roster = yield* Roster
      const { tools, modelOf } = yield* Workplace
      const { ws } = roster
      const changed = Effect.tap(roster.reload, () =>
        Effect.sync(() => bus.tell(Subject.controlSubject(ws, "config"), "")),
      )
      const settingsOf = ({ steering, permissions }: AgentDraft) => ({
        ...(steering === null ? {} : { steering }),
        ...(Object.keys(permissions).length === 0 ? {} : { permissions }),
      })
      const write = (text: string, id: string, draft: AgentDraft) =>
        sql
          .cold(text, [
            ws,
            id,
            draft.name,
            draft.title,
            draft.model,
            draft.soul,
            draft.interests,
            settingsOf(draft),
            draft.integrations,
          ])
          .pipe(
            Effect.map((rows) => rows.length > 0),
            Effect.tap((written) => (written ? changed : Effect.void)),
          )
      return AgentsDesk.of({
        details: Effect.map(sql.cold<DetailRow>(detailsText, [ws]), (rows) =>
          rows.map(({ settings, ...row }): AgentDetail => ({
            ...row,
            kind: settings.kind ?? "inside",
            steering: settings.steering ?? null,
            permissions: settings.permissions ?? {},
            state: row.doing.length > 0 ? "working" : "idle",
          })),
        ),
        decisions: (agent) => sql.cold<Decision>(decisionsText, [ws, agent]),
        preview: (draft) =>
          Effect.sync(() => {
            const { integrations: _, ...rest } = draft
            const agent: Agent = {
              ...rest,
              id: "" as AgentId,
              kind: "inside",
              patience: usualPatience,
              network: null,
            }
            const given = toolsFor(agent, tools)
            const frozen = thaw(
              freeze(
                agent,
                modelOf(agent),
                [...given.values()].map((t) => t.spec),
              ),
            )
            return {
              model: frozen.model,
              system: frozen.system,
              tools: [...tools.values()].map(({ spec }) => ({
                name: spec.name,
                description: spec.description ?? "",
                permission: draft.permissions[spec.name] ?? "allow",
              })),
            }
          }),
        add: Effect.fnUntraced(function* (draft) {
          const id = newId<AgentId>(yield* Clock.currentTimeMillis)
          return (yield* write(addText, id, draft)) ? id : null
        }),
        change: (agent, draft) => write(changeText, agent, draft),
        remove: (agent) =>
          sql.cold(removeText, [ws, agent]).pipe(
            Effect.map((rows) => rows.length > 0),
            Effect.tap((removed) => (removed ? changed : Effect.void)),
          ),
      })
    }),
  )
}

interface DetailRow extends Omit<AgentDetail, "kind" | "steering" | "permissions" | "state"> {
  readonly settings: Partial<Pick<AgentDetail, "kind" | "steering" | "permissions">>
}

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const detailsText = `
select a.id, a.name, a.title, a.model, a.soul, a.interests, a.settings, a.origin,
  (select coalesce(jsonb_agg(d.name order by d.name), '[]') from member m join door d on d.id = m.door where m.agent = a.id and d.removed_at is null) as integrations,
  (select coalesce(jsonb_agg(jsonb_build_object('room', t.thread, 'title', r.title, 'turn', t.id, 'state', t.state, 'since', ${iso("t.started_at")},
      'words', left(coalesce(e.body->>'text', ''), 160)) order by t.started_at), '[]')
    from turn t join thread r on r.id = t.thread left join event e on e.id = t.event
    where t.agent = a.id and t.state in ('running', 'waiting')) as doing,
  s.spent, s."spentToday", s.turns, s.failed, s."medianMs", s."cacheShare"
from agent a, lateral (
  select coalesce(sum(t.cost), 0) / 1000000::float8 as spent,
    coalesce(sum(t.cost) filter (where t.started_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'), 0) / 1000000::float8 as "spentToday",
    count(*)::int as turns, count(*) filter (where t.state in ('failed', 'parked'))::int as failed,
    (percentile_cont(0.5) within group (order by extract(epoch from t.ended_at - t.started_at)) filter (where t.state = 'finished') * 1000)::float8 as "medianMs",
    (sum((t.usage->>'cacheRead')::float8) / nullif(sum((t.usage->>'input')::float8 + (t.usage->>'cacheRead')::float8
      + (t.usage->>'cacheWrite5m')::float8 + (t.usage->>'cacheWrite1h')::float8), 0))::float8 as "cacheShare"
  from turn t where t.agent = a.id and t.started_at > now() - interval '30 days') s
where a.ws = $1 and a.removed_at is null order by a.name`

const decisionsText = `
select ${iso("coalesce(d.at, d.due_at)")} as at, d.state as verdict, coalesce(d.reason, 'waiting to be decided') as reason, d.thread as room, r.title,
  left(coalesce(e.body->>'text', ''), 160) as words
from decision d join thread r on r.id = d.thread left join event e on e.id = d.event
where d.ws = $1 and (d.agent = $2 or d.slot = $2) order by coalesce(d.at, d.due_at) desc limit 50`

/** What troupe.yaml once declared and let go may come back as an agent of the page. */
const addText = `
with a as (
  insert into agent (id, ws, name, title, model, soul, interests, settings, origin) values ($2, $1, $3, $4, $5, $6, $7::jsonb, $8::jsonb, 'page')
  on conflict (ws, name) do update set title = excluded.title, model = excluded.model, soul = excluded.soul, interests = excluded.interests,
    settings = excluded.settings, origin = 'page', removed_at = null where agent.removed_at is not null
  returning id),
m as (insert into member (agent, door) select a.id, d.id from a, door d
  where d.ws = $1 and d.removed_at is null and d.name in (select jsonb_array_elements_text($9::jsonb)) on conflict do nothing)
select id from a`

const changeText = `
with a as (
  update agent set name = $3, title = $4, model = $5, soul = $6, interests = $7::jsonb, settings = $8::jsonb
  where ws = $1 and id = $2 and origin = 'page' and removed_at is null
    and not exists (select from agent o where o.ws = $1 and o.name = $3 and o.id <> $2)
  returning id),
w as (select a.id as agent, d.id as door from a, door d
  where d.ws = $1 and d.removed_at is null and d.name in (select jsonb_array_elements_text($9::jsonb))),
m as (insert into member (agent, door) select agent, door from w on conflict do nothing),
g as (delete from member x using a where x.agent = a.id and x.door not in (select door from w))
select id from a`

const removeText = `
with a as (update agent set removed_at = now() where ws = $1 and id = $2 and origin = 'page' and removed_at is null returning id),
m as (delete from member x using a where x.agent = a.id)
select id from a`
