/**
 * Opens the doors of the company: one Telegram bot each, held by a lease, so that one process polls it and sends for it (P9).
 * What a door says of itself is kept for the page and for readiness.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { githubDoor, GithubApps, githubIntegration } from "../integrations/github/index.ts"
import {
  telegramDoor,
  telegramIntegration,
  TelegramSettings,
  type DoorState,
} from "../integrations/telegram/index.ts"
import { githubServices } from "./GithubDoors.ts"
import {
  Blobs,
  Company,
  Courier,
  Journal,
  Leases,
  Notices,
  Pairings,
  Rooms,
  Roster,
  Sql,
  type StoredDoor,
} from "../runtime/index.ts"
import { roomAnswers } from "./RoomAnswers.ts"
import { waiting } from "./Waiting.ts"

/** What may stand in troupe.yaml. */
export const integrationTypes = {
  telegram: telegramIntegration,
  github: githubIntegration,
  web: { schema: Schema.Struct({}) },
} as const

export interface DoorReport {
  readonly name: string
  readonly type: string
  readonly state: "connected" | "connecting" | "failed"
  readonly detail: string | null
}

export class Doors extends Context.Service<Doors, { readonly reports: () => ReadonlyArray<DoorReport> }>()(
  "troupe/infra/Doors",
) {
  static readonly layer = (publicUrl: string | null) => Layer.effect(Doors, open(publicUrl))
}

const open = Effect.fnUntraced(function* (publicUrl: string | null) {
  const { ws } = yield* Roster
  const leases = yield* Leases
  const reports = new Map<string, DoorReport>()
  for (const door of yield* Company.storedDoors(ws)) {
    const { name, type } = door
    if (type !== "telegram" && type !== "github") {
      reports.set(name, { name, type, state: "connected", detail: null })
      continue
    }
    const report = (state: DoorReport["state"], detail: string | null) =>
      Effect.sync(() => void reports.set(name, { name, type, state, detail }))
    yield* report("connecting", null)
    yield* type === "github"
      ? leases.hold(`door:${door.id}`, () => github(door, report))
      : leases.hold(`door:${door.id}`, () =>
          telegram(door, publicUrl, report).pipe(
            Effect.catchTag(["TelegramMisconfigured", "SchemaError"], (e) =>
              Effect.andThen(Effect.logError(e.message), report("failed", e.message)),
            ),
          ),
        )
  }
  return Doors.of({ reports: () => [...reports.values()] })
})

type Report = (state: DoorReport["state"], detail: string | null) => Effect.Effect<void>

/** What a door says of itself, as a report. */
const told =
  (report: Report) =>
  (state: DoorState): Effect.Effect<void> => {
    switch (state._tag) {
      case "connecting":
        return report("connecting", null)
      case "connected":
        return report("connected", state.note === null ? state.account : `${state.account}. ${state.note}`)
      case "failing":
      case "refused":
        return report("failed", state.message)
    }
  }

const github = Effect.fnUntraced(function* (door: StoredDoor, report: Report) {
  const courier = yield* Courier
  const apps = yield* GithubApps
  const app = apps.get(door.id)
  if (app === undefined) return yield* report("failed", apps.failure(door.id) ?? "It could not be connected.")
  apps.onReport(door.id, told(report))
  yield* courier.serve(yield* githubDoor(app, yield* githubServices(door.id, told(report))))
})

const telegram = Effect.fnUntraced(function* (door: StoredDoor, publicUrl: string | null, report: Report) {
  const journal = yield* Journal
  const blobs = yield* Blobs
  const rooms = yield* Rooms
  const roster = yield* Roster
  const courier = yield* Courier
  const sql = yield* Sql
  const notices = yield* Notices
  const pairings = yield* Pairings
  const answers = yield* roomAnswers
  const outward = yield* telegramDoor({
    door: door.id,
    name: door.name,
    settings: yield* Schema.decodeUnknownEffect(TelegramSettings)(door.settings),
    publicUrl,
    services: {
      accept: journal.accept,
      waiting: waiting(sql, door.id),
      storeBlob: (bytes, mime, name) => blobs.store({ bytes, mime, name }),
      readBlob: blobs.read,
      notice: (notice) => notices.say({ ...notice, door: door.id }),
      knock: (user, name) => pairings.knock(door.id, user, name),
      admitted: () => pairings.admitted(door.id),
      answer: (question) => answers(door.id, question),
      migrated: (from, to) => rooms.moved(door.id, String(from), String(to)),
      members: () =>
        (roster.now().doors.get(door.id)?.members ?? []).map(({ agent }) => ({
          ...agent,
          handle: agent.name,
        })),
      report: told(report),
    },
  })
  yield* courier.serve(outward)
})
