/** NATS, when it is somebody's own: whether it lets us in, stores streams, and is new enough. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { BusNats, Settings } from "../../runtime/index.ts"
import { atLeast } from "../embedded/index.ts"
import { parseNatsUrl } from "../NatsUrl.ts"
import { look, ok, quoted, wrong } from "./Finding.ts"

export const bus = Effect.fnUntraced(function* (alive: boolean) {
  const { natsUrl, natsCreds } = yield* Settings
  if (Option.isNone(natsUrl))
    return alive ? [] : [look("bus", "The embedded NATS runs while Troupe runs.", "npm start")]
  const parsed = parseNatsUrl(natsUrl.value)
  if (Result.isFailure(parsed))
    return [wrong("bus", parsed.failure, "export NATS_URL=nats://user:password@host:4222")]
  const creds = Option.map(natsCreds, (path) => Result.try(() => Redacted.make(readFileSync(path, "utf8"))))
  if (Option.isSome(creds) && Result.isFailure(creds.value)) {
    const path = Option.getOrElse(natsCreds, () => "")
    return [wrong("bus", `NATS_CREDS names ${path}, which cannot be read.`, `ls -l ${quoted(path)}`)]
  }
  const address = {
    ...parsed.success,
    ...(Option.isSome(creds) && Result.isSuccess(creds.value) ? { creds: creds.value.success } : {}),
  }
  const seen = yield* BusNats.look(address).pipe(Effect.timeout("10 seconds"), Effect.result)
  if (Result.isFailure(seen)) {
    const why = seen.failure.message
    return [
      wrong(
        "bus",
        `NATS at ${address.url} does not let us in (${why}).`,
        `nats --server ${quoted(address.url)} server ping`,
      ),
    ]
  }
  const { version, storage } = seen.success
  if (!atLeast(version, [2, 9, 10]))
    return [wrong("bus", `NATS is ${version}, Troupe needs 2.9.10 or newer.`, "npx troupe inspect --config")]
  if (storage === null)
    return [
      wrong("bus", `NATS at ${address.url} has no JetStream for this user.`, "npx troupe inspect --config"),
    ]
  if (storage.most >= 0 && storage.most < 1024 ** 3)
    return [
      wrong(
        "bus",
        "JetStream may store less than the 1 GiB that a workspace takes.",
        "npx troupe inspect --config",
      ),
    ]
  return [ok("bus", `NATS ${version} at ${address.url}, with JetStream.`)]
})
