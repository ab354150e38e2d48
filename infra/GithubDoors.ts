/**
 * GitHub Apps of the company: each connected once a process, and a door where this process holds its lease. What the door asks
 * of the room beyond its own words is answered here, from Postgres.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  githubApp,
  GithubApps,
  GithubSettings,
  type DoorState,
  type GithubApp,
  type GithubDoorServices,
  type Receipts,
} from "../integrations/github/index.ts"
import {
  Blobs,
  Company,
  Identities,
  Journal,
  Roster,
  Sql,
  type DoorId,
  type Tool,
  type Turn,
} from "../runtime/index.ts"
import { waiting } from "./Waiting.ts"

/** Connects all Apps; one that cannot work says why and is left out. */
export const layerGithubApps = Layer.effect(
  GithubApps,
  Effect.gen(function* () {
    const { ws } = yield* Roster
    const apps = new Map<DoorId, GithubApp>()
    const failures = new Map<DoorId, string>()
    const reports = new Map<DoorId, (state: DoorState) => Effect.Effect<void>>()
    for (const { id, name, type, settings } of yield* Company.storedDoors(ws)) {
      if (type !== "github") continue
      const made = yield* Effect.result(
        Effect.flatMap(Schema.decodeUnknownEffect(GithubSettings)(settings), (decoded) =>
          githubApp({
            door: id,
            name,
            settings: decoded,
            report: (state) => reports.get(id)?.(state) ?? Effect.void,
          }),
        ),
      )
      if (Result.isSuccess(made)) apps.set(id, made.success)
      else {
        failures.set(id, made.failure.message)
        yield* Effect.logError(made.failure.message)
      }
    }
    return GithubApps.of({
      all: () => [...apps.values()],
      get: (door) => apps.get(door),
      failure: (door) => failures.get(door),
      onReport: (door, report) => void reports.set(door, report),
    })
  }),
)

export const githubServices = Effect.fnUntraced(function* (
  door: DoorId,
  report: GithubDoorServices["report"],
): Effect.fn.Return<GithubDoorServices, never, Journal | Blobs | Roster | Sql | Identities> {
  const journal = yield* Journal
  const blobs = yield* Blobs
  const roster = yield* Roster
  const sql = yield* Sql
  const identities = yield* Identities
  const members = () => (roster.now().doors.get(door)?.members ?? []).map(({ agent }) => agent)
  return {
    accept: journal.accept,
    storeBlob: (bytes, mime, name) => blobs.store({ bytes, mime, name }),
    waiting: waiting(sql, door),
    members,
    workedFor: (agent, channels) =>
      Effect.map(
        sql.cold<{ person: string }>(workedForText, [door, agent, channels]),
        (rows) => rows[0]?.person,
      ),
    failures: (channel) =>
      Effect.map(sql.cold<{ times: number }>(failuresText, [door, channel]), (rows) => rows[0]?.times ?? 0),
    link: Effect.fnUntraced(function* (code, user) {
      const from = yield* identities.finish(code, { door, user })
      return from === undefined ? undefined : (roster.now().doors.get(from.door)?.name ?? from.door)
    }),
    known: (guids) =>
      Effect.map(
        sql.cold<{ id: string }>(
          "select external_id as id from inbox where door = $1 and external_id = any ($2)",
          [door, guids],
        ),
        (rows) => new Set(rows.map((r) => r.id)),
      ),
    heard: (channel, key) =>
      Effect.map(sql.cold<{ heard: boolean }>(heardText, [door, channel, key]), (rows) => rows[0]!.heard),
    lastAt: Effect.map(
      sql.cold<{ at: number | null }>(
        "select (extract(epoch from max(at)) * 1000)::float8 as at from inbox where door = $1",
        [door],
      ),
      (rows) => rows[0]?.at ?? null,
    ),
    madeAt: Effect.map(
      sql.cold<{ at: number | null }>(
        "select (extract(epoch from min(since)) * 1000)::float8 as at from member where door = $1",
        [door],
      ),
      // Nobody works there: nothing is missed.
      (rows) => rows[0]?.at ?? Number.MAX_SAFE_INTEGER,
    ),
    agentName: (agent) => roster.now().agents.get(agent)?.name ?? "agent",
    receipts: (turn) =>
      sql.cold<{ body: Tool | Turn }>(receiptsText, [turn]).pipe(
        Effect.map((rows) => receiptsOf(rows.map((r) => r.body))),
        // The words matter more than their receipt.
        Effect.catch((e) =>
          Effect.as(Effect.logWarning(`A receipt could not be read: ${e.message}`), undefined),
        ),
      ),
    report,
  }
})

const receiptsOf = (bodies: ReadonlyArray<Tool | Turn>): Receipts => {
  const end = bodies.findLast((b) => b.kind === "turn" && b.ms !== null) as Turn | undefined
  return {
    tools: bodies.flatMap((b) => (b.kind === "tool" && b.state !== "started" ? [b] : [])),
    cost: end?.cost ?? null,
    ms: end?.ms ?? null,
  }
}

/** The key of an edit also tells its text. */
const heardText = `
select exists (
  select from event e join thread t on t.id = e.thread
  where t.door = $1 and t.channel = $2 and (e.source_key = $3 or starts_with(e.source_key, $3 || ':'))) as heard`

const workedForText = `
select substr(u.principal, length($1) + 2) as person from turn u join thread t on t.id = u.thread
where u.agent = $2 and t.door = $1 and t.channel = any ($3) and starts_with(u.principal, $1 || ':')
order by u.started_at desc limit 1`

const failuresText = `
with r as (select id from thread where door = $1 and channel = $2)
select count(*)::int as times from event e join r on r.id = e.thread
where e.kind = 'message' and e.source_key like 'gh:checks:%'
  and e.pos > coalesce((select max(p.pos) from event p where p.thread = e.thread and p.kind = 'message'
    and p.body->'author'->>'kind' = 'person'), 0)`

const receiptsText = `
select e.body from turn u join event e on e.thread = u.thread
where u.id = $1 and e.kind in ('tool', 'turn') and e.body->>'turn' = $1 order by e.pos`
