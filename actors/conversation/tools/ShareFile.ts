/**
 * Says a file from the agent's computer into the room, for the people there: kept as a blob, shown in the log as an attachment,
 * sent where the platform takes files. Said once (P8).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  Roster,
  type Attachment,
  type Blobs,
  type Courier,
  type Journal,
  type Sql,
} from "../../../runtime/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { inPlace } from "./SandboxFiles.ts"
import { hasSpoken, sayInRoom } from "./SayInRoom.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import { TurnContext } from "./Tool.ts"

const Input = Schema.Struct({
  path: Schema.String.annotate({ description: "The file on your computer." }),
  caption: Schema.optionalKey(
    Schema.String.check(Schema.isMaxLength(800)).annotate({ description: "What people should know of it." }),
  ),
})

/** Bytes: what can also be fetched again from a platform. */
const largest = 20 * 1024 * 1024
const largestPhoto = 10 * 1024 * 1024

export const shareFileTool = (shell: Shell["Service"], blobs: Blobs["Service"]) =>
  Effect.gen(function* () {
    const roster = yield* Roster
    const services = yield* Effect.context<Sql | Journal | Courier>()
    return schemaTool({
      name: "share_file",
      description:
        "Shows a file or picture from your computer to the people in this room, with an optional caption.",
      input: Input,
      idempotent: true,
      parallel: false,
      summary: ({ path }) => path,
      run: ({ path, caption }) =>
        Effect.gen(function* () {
          const turn = yield* TurnContext
          const place = yield* inPlace(shell, path)
          const name = place.path.slice(place.path.lastIndexOf("/") + 1)
          const told = done(`${name} is in the room.`)
          if (yield* hasSpoken) return told
          const door = roster.now().doors.get(turn.door)
          if (door === undefined) return yield* new Refusal({ message: "This room is closed." })
          const bytes = yield* place.machine.readFile(place.path)
          if (bytes.length === 0 || bytes.length > largest)
            return yield* new Refusal({
              message: `The file has ${bytes.length} bytes; from 1 to ${largest} can be shown. Make it smaller, or show a part.`,
            })
          const mime = mimeOf(name)
          const blob = yield* blobs.store({ name, mime, bytes })
          yield* sayInRoom(roster.ws, door, {
            text: caption ?? name,
            file: { kind: kindOf(mime, bytes.length), name, mime, size: bytes.length, blob },
          })
          return told
        }).pipe(Effect.provideContext(services)),
    })
  })

const kindOf = (mime: string, size: number): Attachment["kind"] =>
  pictures.has(mime) && size <= largestPhoto
    ? "photo"
    : mime.startsWith("video/")
      ? "video"
      : mime.startsWith("audio/")
        ? "audio"
        : "document"

const pictures = new Set(["image/jpeg", "image/png", "image/webp"])

/** By the end of the name. What a browser would run is never named so (the page serves it). */
const mimes: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  pdf: "application/pdf",
  txt: "text/plain",
  log: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  json: "application/json",
  zip: "application/zip",
  mp4: "video/mp4",
  webm: "video/webm",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  wav: "audio/wav",
}

const mimeOf = (name: string): string =>
  mimes[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream"
