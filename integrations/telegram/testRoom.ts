/**
 * Test kit: a room in memory in place of the runtime. It keeps what was accepted, once per external id, can be switched
 * off, and wakes whoever waits for a condition at each change.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Inbound, InboundMessage } from "../../runtime/door/Inbound.ts"
import type { AgentId, BlobId, DoorId } from "../../runtime/room/Id.ts"
import { StoreError } from "../../runtime/store/StoreError.ts"
import type { DoorState } from "./DoorState.ts"
import type { Member } from "./Mentions.ts"
import type { TelegramSettings } from "./Settings.ts"
import type { TelegramDoorServices } from "./TelegramDoor.ts"

export const door = "door1" as DoorId
export const ada: Member = { id: "agentada" as AgentId, name: "Ada", handle: "ada" }
export const bo: Member = { id: "agentbo" as AgentId, name: "Bo", handle: "bo" }

export const settings = (
  more: Partial<Omit<TelegramSettings, "token">> & { readonly url: string; readonly token?: string },
): TelegramSettings => {
  const { url, token = "1000:emulated", ...rest } = more
  return {
    mode: "polling",
    allow: { users: [1, 2], chats: [] },
    joins: "leave",
    triage: "off",
    steering: "join",
    operators: [],
    ...rest,
    token: Redacted.make(token),
    apiRoot: url,
  }
}

export interface TestRoom extends TelegramDoorServices {
  readonly batches: Array<ReadonlyArray<Inbound>>
  readonly inbox: Map<string, Inbound>
  readonly states: Array<DoorState>
  readonly moves: Array<readonly [number, number]>
  readonly notices: Map<
    string,
    { readonly channel: string; readonly replyTo: string | null; readonly text: string }
  >
  /** Strangers' codes, by number; `in`: let in. */
  readonly codes: Map<string, string>
  readonly blobs: Map<BlobId, { readonly bytes: Uint8Array; readonly mime: string; readonly name: string }>
  /** What was said, in the order of acceptance. */
  readonly said: () => ReadonlyArray<InboundMessage>
  readonly texts: () => ReadonlyArray<string>
  /** While set, the store takes nothing. */
  down: "unavailable" | null
  readonly until: (condition: () => boolean, what: string) => Effect.Effect<void>
}

export const testRoom = (members: ReadonlyArray<Member> = [ada, bo]): TestRoom => {
  const watchers = new Set<() => void>()
  const changed = () => watchers.forEach((look) => look())
  const fail = (kind: "unavailable") => new StoreError({ kind, message: `the store is ${kind}`, cause: kind })
  const room: TestRoom = {
    batches: [],
    inbox: new Map(),
    states: [],
    moves: [],
    notices: new Map(),
    codes: new Map(),
    blobs: new Map(),
    down: null,
    said: () => [...room.inbox.values()].flatMap(({ message }) => message ?? []),
    texts: () => room.said().map(({ text }) => text),
    members: () => members,
    accept: (batch) =>
      Effect.suspend(() => {
        room.batches.push(batch)
        changed()
        if (room.down !== null) return Effect.fail(fail(room.down))
        const accepted = batch.map(({ externalId }) => ({
          externalId,
          duplicate: room.inbox.has(externalId),
          event: null,
          thread: null,
          pos: null,
        }))
        for (const inbound of batch)
          if (!room.inbox.has(inbound.externalId)) room.inbox.set(inbound.externalId, inbound)
        changed()
        return Effect.succeed(accepted)
      }),
    waiting: Effect.sync(() =>
      [...room.inbox.values()]
        .filter(
          ({ externalId, raw }) =>
            (raw as { waiting?: boolean } | null)?.waiting === true && !room.inbox.has(`${externalId}/done`),
        )
        .map(({ externalId, raw }) => ({ externalId, raw })),
    ),
    storeBlob: (bytes, mime, name) =>
      Effect.suspend(() => {
        if (room.down !== null) return Effect.fail(fail(room.down))
        const id = `blob${room.blobs.size}` as BlobId
        room.blobs.set(id, { bytes, mime, name })
        return Effect.succeed(id)
      }),
    notice: ({ id, ...notice }) =>
      Effect.sync(() => {
        if (!room.notices.has(id)) room.notices.set(id, notice)
        changed()
      }),
    knock: (user) =>
      Effect.sync(() => {
        const code = room.codes.get(user) ?? `CODE-${user}`
        room.codes.set(user, code)
        return code === "in" ? "in" : { code }
      }),
    admitted: () => new Set([...room.codes].flatMap(([user, code]) => (code === "in" ? [user] : []))),
    answer: ({ about, replyTo }) => Effect.succeed(`about ${about}, ${replyTo}`),
    readBlob: (id) => Effect.sync(() => room.blobs.get(id)),
    migrated: (from, to) =>
      Effect.sync(() => {
        room.moves.push([from, to])
        changed()
      }),
    report: (state) =>
      Effect.sync(() => {
        room.states.push(state)
        changed()
      }),
    until: (condition, what) =>
      Effect.callback<void>((resume) => {
        const look = () => {
          if (!condition()) return
          watchers.delete(look)
          resume(Effect.void)
        }
        watchers.add(look)
        look()
        return Effect.sync(() => void watchers.delete(look))
      }).pipe(
        Effect.timeout("8 seconds"),
        Effect.catch(() =>
          Effect.die(
            new Error(
              `${what}: not within 8 s; states ${JSON.stringify(room.states)}, said ${JSON.stringify(room.texts())}`,
            ),
          ),
        ),
      ),
  }
  return room
}
