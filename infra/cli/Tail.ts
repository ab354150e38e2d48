/** Follows a room until Ctrl-C: the server's stream of events (`/api/rooms/:id/stream`), decoded. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Sse from "effect/encoding/Sse"
import process from "node:process"
import type { Event } from "../../runtime/index.ts"
import { CliError, request } from "./Client.ts"
import type { Room } from "./Rooms.ts"
import { TailText, type Delta } from "./TailText.ts"

/** So many events of before are shown first. */
const before = 20

export const tail = Effect.fnUntraced(function* (
  room: Room,
  names: Iterable<readonly [string, string]>,
  asJson: boolean,
) {
  const response = yield* request("GET /api/rooms/:id/stream", {
    params: { id: room.id },
    query: { after: String(Math.max(0, room.head - before)) },
  })
  const text = new TailText(names)
  const say = (kind: string, data: string): string => {
    if (kind === "event") return asJson ? `${data}\n` : text.event(JSON.parse(data) as Event)
    if (kind !== "delta") return ""
    const delta = JSON.parse(data) as Delta
    return asJson ? `${JSON.stringify({ kind: "delta", ...delta })}\n` : text.delta(delta)
  }
  const follow = Stream.fromReadableStream({
    evaluate: () => response.body!,
    onError: () => new CliError({ message: "The connection to Troupe broke." }),
  }).pipe(
    Stream.decodeText(),
    Stream.pipeThroughChannel(Sse.decode()),
    Stream.runForEach(({ event, data }) => Effect.sync(() => void process.stdout.write(say(event, data)))),
    Effect.andThen(new CliError({ message: "Troupe stopped: start it with `npm start`, then tail again." })),
  )
  return yield* Effect.raceFirst(follow, interrupted)
})

/** Ctrl-C is how following ends: not a failure. */
const interrupted = Effect.callback<void>((resume) => {
  const stop = () => resume(Effect.void)
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
})
