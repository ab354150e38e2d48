/**
 * The door for outside programs: words that come as NATS requests. The speaker is the token of the subject, which only that
 * NATS user may publish on; who is asked, root, hop and principal are found here, never read from the request. What it says
 * counts as an agent's words: one hop more than what it answers, for the same person (P10, P13). Answered after the commit (P1).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { Bus } from "../bus/Bus.ts"
import { sayAny } from "../bus/Subject.ts"
import { mentionsIn, mostHops } from "../room/Address.ts"
import type { MessageEvent } from "../room/Event.ts"
import { agentAt, following } from "../room/Following.ts"
import { newId, type AgentId, type EventId, type ThreadId } from "../room/Id.ts"
import { Journal } from "../room/Journal.ts"
import { Rooms } from "../room/Rooms.ts"
import { Roster, type Agent, type Door } from "../room/Roster.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { Courier } from "./Courier.ts"
import { Pace } from "./Pace.ts"
import { OpenRequest, SayRequest, type SayAnswer } from "./SayRequest.ts"

/** Why nothing was written: one sentence with the next step. */
class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { message: Schema.String }) {}
const refuse = (message: string) => Effect.fail(new Refusal({ message }))

export class SayDoor extends Context.Service<
  SayDoor,
  {
    /** `thread` is a room's id, or `new`. Never fails: what went wrong is in the answer. */
    readonly say: (speaker: string, thread: string, payload: string) => Effect.Effect<SayAnswer>
  }
>()("troupe/door/SayDoor") {
  static readonly layer = Layer.effect(
    SayDoor,
    Effect.gen(function* () {
      const journal = yield* Journal
      const roster = yield* Roster
      const rooms = yield* Rooms
      const courier = yield* Courier
      const sql = yield* Sql
      const bus = yield* Bus
      const words = new Pace(60, 1000)
      // A root of its own is money of its own: an outside program starts few of them.
      const roots = new Pace(6, 100_000)

      const paced = (pace: Pace, speaker: string, what: string) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const wait = pace.take(speaker, now)
          return wait === 0
            ? Effect.void
            : refuse(
                `You ${what}: wait ${Math.ceil(wait / 1000)} seconds, and send the same again with the same id.`,
              )
        })

      /** The message these words follow from; undefined: they start something of their own. */
      const before = Effect.fnUntraced(function* (
        speaker: AgentId,
        thread: ThreadId,
        replyTo: EventId | null,
      ) {
        if (replyTo !== null) {
          const event = yield* rooms.message(replyTo)
          if (event === undefined || event.thread !== thread)
            return yield* refuse("replyTo is no message of this room: name one by its id, or leave it out.")
          return event
        }
        const [found] = yield* sql.cold<{ id: EventId }>(beforeText, [thread, speaker])
        return found === undefined ? undefined : yield* rooms.message(found.id)
      })

      /** `title`: the room is opened first, where it is not there yet. */
      const write = Effect.fnUntraced(function* (
        speaker: Agent,
        door: Door,
        thread: ThreadId,
        request: SayRequest,
        title?: string,
      ) {
        const word = wordId(speaker.id, thread, request.id)
        // Sent again, it is answered as it was, whatever has happened in the room since.
        const [known] = yield* sql.cold<{ event: EventId; pos: number }>(knownText, [thread, `say:${word}`])
        if (known !== undefined) return { ...known, thread }
        const earlier = yield* before(speaker.id, thread, request.replyTo ?? null)
        const id = newId<EventId>(yield* Clock.currentTimeMillis)
        const others = door.members.map((m) => m.agent).filter((a) => a.id !== speaker.id)
        const mentions = mentionsIn(request.text, others)
        // Who invited it is told what came of it.
        const inviter = others.find((a) => invited(earlier, speaker.id) && a.id === earlier?.author.id)
        const asked = inviter === undefined ? mentions : [...new Set([inviter.id, ...mentions])]
        const hop = hopAfter(earlier, speaker.id)
        if (hop > mostHops)
          return yield* refuse(
            `Agents have answered each other ${mostHops} times since a person spoke: a person has to speak first.`,
          )
        if (earlier === undefined && asked.length > 0)
          yield* paced(roots, speaker.id, "have begun too much by yourself")
        const tooFar = asked.length > 0 && hop >= mostHops
        const slots = tooFar ? [] : asked
        const text = tooFar
          ? `${request.text}\n\n(Nobody else was called: agents have answered each other ${mostHops} times since a person spoke. Say "continue" and we go on.)`
          : request.text
        if (title !== undefined) yield* rooms.open(door.id, title, thread)
        const signature = door.platform ? (others.length > 0 ? speaker.name : "") : null
        const row = {
          ws: roster.ws,
          door: door.id,
          thread,
          agent: speaker.id,
          word,
          raw: request,
          event: earlier?.id ?? null,
          due: slots.map((slot) => ({ event: id, slot })),
          signature,
          text,
          events: [
            {
              id,
              key: `say:${word}`,
              body: following(
                earlier ?? { id, root: id, hop: -1, principal: `${door.id}:${speaker.id}` },
                agentAt(door, speaker),
                text,
                {
                  mentions,
                  replyTo: earlier?.id ?? null,
                  hop,
                  slots,
                  ...(tooFar ? { uncalled: asked } : {}),
                },
              ),
            },
            {
              body: {
                kind: "intent",
                message: earlier?.id ?? id,
                slot: speaker.id,
                leader: speaker.id,
                verdict: "lead",
                reason: "answered",
                ranking: [],
              },
            },
          ],
        } as const
        const written = yield* journal.speak(row)
        if (written.parcel !== null)
          courier.send({
            ...written.parcel,
            turn: word,
            part: 0,
            door: door.id,
            thread,
            agent: speaker.id,
            signature: signature ?? "",
            platformId: null,
            text,
          })
        // Another process was writing the same words: they stand now.
        const at = written.duplicate && written.id === null ? yield* journal.speak(row) : written
        const stands = at.events[0] ?? at
        if (stands.id === null || stands.pos === null) return yield* refuse(again)
        return { event: stands.id as EventId, pos: stands.pos, thread }
      })

      const intoRoom = Effect.fnUntraced(function* (speaker: Agent, thread: ThreadId, payload: string) {
        const request = yield* decode(SayRequest, payload)
        const room = yield* rooms.get(thread)
        const door = room === undefined ? undefined : roster.now().doors.get(room.door)
        if (room === undefined || door === undefined)
          return yield* refuse(`There is no room ${thread.slice(0, 40)}: take the id from what you heard.`)
        if (!isMember(door, speaker))
          return yield* refuse(
            `${speaker.name} is no member of ${door.name}: name ${door.name} under its integrations in troupe.yaml.`,
          )
        return yield* write(speaker, door, thread, request)
      })

      const intoNew = Effect.fnUntraced(function* (speaker: Agent, payload: string) {
        const { title, door: name, ...request } = yield* decode(OpenRequest, payload)
        const door = [...roster.now().doors.values()].find(
          (d) => !d.platform && isMember(d, speaker) && (name === undefined || d.name === name),
        )
        if (door === undefined)
          return yield* refuse(
            "You are no member of an integration where rooms can be opened: add web to your integrations, or answer in a room.",
          )
        return yield* write(speaker, door, wordId(speaker.id, "new", request.id), request, title)
      })

      const say = (speaker: string, thread: string, payload: string): Effect.Effect<SayAnswer> =>
        Effect.gen(function* () {
          const agent = roster.now().agents.get(speaker as AgentId)
          if (agent === undefined || agent.kind !== "outside")
            return yield* refuse(
              "No outside agent has this id: declare it in troupe.yaml with kind: outside.",
            )
          yield* paced(words, agent.id, "say too much at once")
          return yield* thread === "new"
            ? intoNew(agent, payload)
            : intoRoom(agent, thread as ThreadId, payload)
        }).pipe(
          Effect.catchTag("Refusal", (e) => Effect.succeed({ error: e.message })),
          Effect.catchTag("StoreError", (e: StoreError) =>
            Effect.as(Effect.logWarning(`words of ${speaker} were not stored: ${e.message}`), {
              error: again,
            }),
          ),
        )

      yield* bus.serve({
        name: "troupe",
        version: "1.0.0",
        description: "Rooms of a company of agents",
        endpoints: [
          {
            name: "say",
            subject: sayAny(roster.ws),
            handle: (subject, payload) => {
              const [, , , speaker = "", thread = ""] = subject.split(".")
              return say(speaker, thread, payload)
            },
          },
        ],
      })
      return SayDoor.of({ say })
    }),
  )
}

const invited = (event: MessageEvent | undefined, speaker: AgentId) =>
  event?.invites === true && event.slots.includes(speaker)

const again = "It could not be stored just now: send the same again with the same id."

const isMember = (door: Door, agent: Agent) => door.members.some((m) => m.agent.id === agent.id)

/** Going on with its own words is no answer to them. Words that follow from nobody's are an agent's all the same. */
const hopAfter = (earlier: MessageEvent | undefined, speaker: AgentId): number =>
  earlier === undefined ? 1 : earlier.author.id === speaker ? Math.max(earlier.hop, 1) : earlier.hop + 1

/** What words are known by, in the room and to the platform. */
const wordId = (speaker: AgentId, thread: string, id: string) =>
  createHash("sha256").update(`${speaker}/${thread}/${id}`).digest("hex").slice(0, 32) as never

/** Larger than this is no request: nothing is parsed. */
const mostBytes = 256 * 1024

const decode = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, payload: string) =>
  payload.length > mostBytes
    ? refuse("The request is too large: 32768 characters of text are the most.")
    : Schema.decodeUnknownEffect(Schema.fromJsonString(schema), { onExcessProperty: "error" })(payload).pipe(
        Effect.mapError(
          ({ message }) =>
            new Refusal({
              message: `The request is not as docs/bus.md describes it: ${message.replaceAll(/\s+/g, " ").slice(0, 300)}.`,
            }),
        ),
      )

const knownText = "select id as event, pos from event where thread = $1 and source_key = $2"

/** What has asked the speaker longest; else the newest words, while they are ten minutes fresh. */
const beforeText = `
select id from (
  (select e.id, 1 as first from decision d join event e on e.id = d.event
   where d.thread = $1 and d.slot = $2 and d.state = 'due' order by e.pos limit 1)
  union all
  (select e.id, 2 from event e
   where e.thread = $1 and e.kind = 'message' and e.at > now() - interval '10 minutes' order by e.pos desc limit 1)) f
order by first limit 1`
