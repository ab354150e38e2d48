/**
 * Applies a configuration to the workspace: idempotent, agents and integrations that are no longer named leave. Settings are
 * stored without their secrets; these are sealed, each bound to its own row, and opened only for the door that needs them.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Bus } from "../bus/Bus.ts"
import { controlSubject } from "../bus/Subject.ts"
import { newId, type AgentId, type DoorId, type WorkspaceId } from "../room/Id.ts"
import type { Sealed, Place } from "../secrets/Envelope.ts"
import { lastFour, Secrets } from "../secrets/Secrets.ts"
import { Sql } from "../store/Sql.ts"
import * as Clock from "effect/Clock"
import type { AgentConfig } from "./TroupeConfig.ts"

export interface CompanyConfig {
  readonly agents: ReadonlyArray<AgentConfig>
  readonly integrations: ReadonlyArray<{
    readonly name: string
    readonly type: string
    readonly settings: unknown
  }>
}

/** An integration as it is stored, its secrets put back in. */
export interface StoredDoor {
  readonly id: DoorId
  readonly name: string
  readonly type: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** The workspace of this installation; made at the first start. */
export const workspace = Effect.gen(function* () {
  const sql = yield* Sql
  const id = newId<WorkspaceId>(yield* Clock.currentTimeMillis)
  const [row] = yield* sql.cold<{ id: WorkspaceId }>(
    `insert into workspace (id, name) values ($1, 'default') on conflict (name) do update set name = excluded.name returning id`,
    [id],
  )
  return row!.id
})

export const apply = Effect.fn("Company.apply")(function* (ws: WorkspaceId, config: CompanyConfig) {
  const sql = yield* Sql
  const secrets = yield* Secrets
  const bus = yield* Bus
  const now = yield* Clock.currentTimeMillis
  const split = config.integrations.map((i) => ({ ...i, ...withoutSecrets(i.settings) }))
  const doors = yield* sql.cold<{ id: DoorId; name: string }>(applyText, [
    ws,
    config.agents.map((a) => ({ ...a, id: newId<AgentId>(now), integrations: undefined })),
    split.map((i) => ({ id: newId<DoorId>(now), name: i.name, type: i.type, settings: i.plain })),
    config.agents.flatMap((a) => a.integrations.map((door) => ({ agent: a.name, door }))),
  ])
  const ids = new Map(doors.map((d) => [d.name, d.id]))
  for (const { name, hidden } of split) {
    const owner = `door:${ids.get(name)!}`
    for (const [key, value] of hidden) {
      const known = yield* sealedOf(owner, key)
      if (known !== undefined) {
        const old = yield* Effect.option(secrets.open(placeOf(owner, key), known))
        if (old._tag === "Some" && Redacted.value(old.value) === Redacted.value(value)) continue
      }
      yield* sql.cold(
        `insert into secret (owner, name, sealed, last_four) values ($1, $2, $3::jsonb, $4)
         on conflict (owner, name) do update set sealed = excluded.sealed, last_four = excluded.last_four, changed_at = now()`,
        [owner, key, yield* secrets.seal(placeOf(owner, key), value), lastFour(value)],
      )
    }
    yield* sql.cold("delete from secret where owner = $1 and name <> all ($2::text[])", [
      owner,
      hidden.map(([key]) => key),
    ])
  }
  bus.tell(controlSubject(ws, "config"), "")
})

export const storedDoors = Effect.fn("Company.doors")(function* (ws: WorkspaceId) {
  const sql = yield* Sql
  const secrets = yield* Secrets
  const rows = yield* sql.cold<StoredDoor>(
    "select id, name, type, settings from door where ws = $1 and removed_at is null order by name",
    [ws],
  )
  return yield* Effect.forEach(rows, (door) =>
    Effect.gen(function* () {
      const owner = `door:${door.id}`
      const sealed = yield* sql.cold<{ name: string; sealed: Sealed }>(
        "select name, sealed from secret where owner = $1",
        [owner],
      )
      const opened = yield* Effect.forEach(sealed, (s) =>
        Effect.map(
          secrets.open(placeOf(owner, s.name), s.sealed),
          (value) => [s.name, Redacted.value(value)] as const,
        ),
      )
      return { ...door, settings: { ...door.settings, ...Object.fromEntries(opened) } } satisfies StoredDoor
    }),
  )
})

const sealedOf = Effect.fnUntraced(function* (owner: string, name: string) {
  const sql = yield* Sql
  const [row] = yield* sql.cold<{ sealed: Sealed }>(
    "select sealed from secret where owner = $1 and name = $2",
    [owner, name],
  )
  return row?.sealed
})

const placeOf = (owner: string, name: string): Place => ({
  table: "secret",
  row: `${owner}/${name}`,
  column: "sealed",
})

/** Secrets stand at the top level of an integration's settings. */
const withoutSecrets = (settings: unknown) => {
  const plain: Record<string, unknown> = {}
  const hidden: Array<readonly [string, Redacted.Redacted]> = []
  for (const [key, value] of Object.entries(settings as object)) {
    if (Redacted.isRedacted(value)) hidden.push([key, value as Redacted.Redacted])
    else plain[key] = value
  }
  return { plain, hidden }
}

const applyText = `
with given_a as (
  select * from jsonb_to_recordset($2::jsonb) as a(id text, name text, title text, model text, soul text, interests jsonb,
    settings jsonb)),
given_d as (select * from jsonb_to_recordset($3::jsonb) as d(id text, name text, type text, settings jsonb)),
a as (
  insert into agent (id, ws, name, title, model, soul, interests, settings)
  select id, $1, name, title, model, soul, interests, settings from given_a
  on conflict (ws, name) do update set title = excluded.title, model = excluded.model, soul = excluded.soul,
    interests = excluded.interests, settings = excluded.settings, origin = 'file', removed_at = null
  returning id, name),
a_gone as (
  update agent set removed_at = now() where ws = $1 and removed_at is null and origin = 'file'
    and name not in (select name from given_a)),
d as (
  insert into door (id, ws, name, type, settings) select id, $1, name, type, settings from given_d
  on conflict (ws, name) do update set type = excluded.type, settings = excluded.settings, removed_at = null
  returning id, name),
d_gone as (
  update door set removed_at = now() where ws = $1 and removed_at is null and name not in (select name from given_d)),
pair as (
  select a.id as agent, d.id as door from jsonb_to_recordset($4::jsonb) as p(agent text, door text)
  join a on a.name = p.agent join d on d.name = p.door),
m as (insert into member (agent, door) select agent, door from pair on conflict do nothing),
m_gone as (
  delete from member m using agent g where g.id = m.agent and g.ws = $1
    and (g.origin = 'file' or g.name in (select name from given_a))
    and not exists (select from pair p where p.agent = m.agent and p.door = m.door))
select id, name from d`
