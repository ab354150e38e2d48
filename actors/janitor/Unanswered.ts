/**
 * P4, P8: an outside agent that was asked and says nothing within its patience gives its slot up: the decision is filled, and the
 * room is told once. What it says later is said all the same.
 */
import * as Effect from "effect/Effect"
import * as Clock from "effect/Clock"
import {
  Courier,
  eventJson,
  following,
  isInside,
  Journal,
  mostHops,
  newId,
  Roster,
  runtimeAt,
  Sql,
  type AgentId,
  type EventId,
  type MessageEvent,
} from "../../runtime/index.ts"

const lateText = `
select ${eventJson} as event, d.slot as agent
from jsonb_to_recordset($2::jsonb) as a(id text, patience float8)
join decision d on d.slot = a.id and d.ws = $1 and d.state = 'due'
join event e on e.id = d.event join thread t on t.id = e.thread
where e.at < now() - make_interval(secs => a.patience * 60) order by e.at limit 100`

export const outsideAgents = Effect.map(Roster, (roster) =>
  [...roster.now().agents.values()].filter((a) => !isInside(a)),
)

export const giveUpUnanswered = Effect.gen(function* () {
  const outside = yield* outsideAgents
  if (outside.length === 0) return
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.hot<{ event: MessageEvent; agent: AgentId }>(lateText, [
    ws,
    outside.map(({ id, patience }) => ({ id, patience })),
  ])
  for (const { event, agent } of rows) yield* giveUp(event, agent)
})

const giveUp = Effect.fnUntraced(function* (event: MessageEvent, agent: AgentId) {
  const journal = yield* Journal
  const courier = yield* Courier
  const roster = yield* Roster
  const { ws } = roster
  const door = roster.now().doors.get(event.door)
  const late = roster.now().agents.get(agent)
  if (door === undefined || late === undefined) return
  const { name } = late
  // Who invited it goes on without it.
  const slots = door.members
    .map((m) => m.agent.id)
    .filter((id) => event.invites === true && id === event.author.id && event.hop + 1 < mostHops)
  const id = newId<EventId>(yield* Clock.currentTimeMillis)
  const reason = `did not answer within ${late.patience} minutes`
  const text = `@${name} ${reason}: its program may not run. Ask somebody else, or say it again when it is back.`
  const signature = door.platform ? "Troupe" : null
  const { parcel } = yield* journal.unanswered({
    ws,
    door: door.id,
    thread: event.thread,
    agent,
    event: event.id,
    reason,
    word: id,
    signature,
    text,
    due: slots.map((slot) => ({ event: id, slot })),
    events: [
      {
        id,
        key: `say:${id}`,
        body: following(event, runtimeAt(door.id), text, { slots }),
      },
      {
        body: {
          kind: "intent",
          message: event.id,
          slot: agent,
          leader: agent,
          verdict: "parked",
          reason,
          ranking: [],
        },
      },
    ],
  })
  if (parcel === null) return
  courier.send({
    ...parcel,
    turn: id as never,
    part: 0,
    door: door.id,
    thread: event.thread,
    agent,
    signature: signature ?? "",
    platformId: null,
    text,
  })
})
