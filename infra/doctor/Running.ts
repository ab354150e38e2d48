/** Whether Troupe runs here and is well, and whether its port is free when it does not. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { peersFor } from "../../admin/server/Peers.ts"
import { Settings } from "../../runtime/index.ts"
import { request } from "../cli/Client.ts"
import { localPort } from "../embedded/LocalPort.ts"
import { fetched } from "./Fetched.ts"
import { look, ok, wrong, type Finding } from "./Finding.ts"

const Ready = Schema.Struct({ waiting: Schema.Array(Schema.String) })

/** `true` while Troupe answers on its port. */
export const running = Effect.gen(function* () {
  const { port } = yield* Settings
  const answer = yield* fetched(`http://127.0.0.1:${port}/healthz`)
  const alive = answer !== undefined && answer.status === 200 && answer.text.includes('"alive"')
  if (!alive) {
    const free = (yield* localPort(port)) === port
    return {
      alive,
      findings: [
        free
          ? look("troupe", `It does not run (nothing answers on port ${port}).`, "npm start")
          : wrong("troupe", `Another program has port ${port}.`, `PORT=${port + 1} npm start`),
      ],
    }
  }
  const ready = yield* fetched(`http://127.0.0.1:${port}/readyz`)
  const waiting = Schema.decodeUnknownOption(Schema.fromJsonString(Ready))(ready?.text ?? "")
  const missing = Option.isSome(waiting) ? waiting.value.waiting : ["/readyz does not answer."]
  const ours = yield* Effect.result(request("GET /api/me"))
  const findings: ReadonlyArray<Finding> = [
    Result.isSuccess(ours)
      ? ok("troupe", `It runs on port ${port}.`)
      : wrong("troupe", ours.failure.message, "npx troupe status"),
    ...missing.map((what) => wrong("ready", what, "npx troupe status")),
  ]
  return { alive, findings }
})

/** HOST and TRUSTED_PROXY fit each other. */
export const listening = Effect.map(Settings, ({ host, trustedProxy }): ReadonlyArray<Finding> => {
  const peers = peersFor(host, Option.getOrNull(trustedProxy))
  return Result.isFailure(peers)
    ? [wrong("listening", peers.failure.message, "unset HOST TRUSTED_PROXY")]
    : []
})

/** What platforms and people call from outside comes through. */
export const reachable = Effect.fnUntraced(function* (alive: boolean, wantsWebhooks: ReadonlyArray<string>) {
  const { publicUrl } = yield* Settings
  if (Option.isNone(publicUrl))
    return wantsWebhooks.length === 0
      ? []
      : [
          wrong(
            "webhooks",
            `${wantsWebhooks.join(", ")} is reached by webhooks, and PUBLIC_URL is not set.`,
            "export PUBLIC_URL=https://troupe.example.com",
          ),
        ]
  const url = URL.parse(publicUrl.value)
  if (url === null || !/^https?:$/.test(url.protocol))
    return [
      wrong("webhooks", "PUBLIC_URL is no web address.", "export PUBLIC_URL=https://troupe.example.com"),
    ]
  if (!alive) return [look("webhooks", `${url.origin} can be tried while Troupe runs.`)]
  const probe = `${url.origin}/healthz`
  const answer = yield* fetched(probe)
  return answer?.status === 200 && answer.text.includes('"alive"')
    ? [ok("webhooks", `${url.origin} leads here.`)]
    : [
        wrong(
          "webhooks",
          answer === undefined
            ? `${url.origin} does not answer: is the proxy in front running, and its name known?`
            : `${url.origin} answers ${answer.status}, and not as Troupe: the proxy leads elsewhere.`,
          `curl -i ${probe}`,
        ),
      ]
})
