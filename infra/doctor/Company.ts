/** troupe.yaml, the model, and which integrations platforms call. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { env } from "node:process"
import { formatProblem, Settings, TroupeYaml } from "../../runtime/index.ts"
import { integrationTypes } from "../Doors.ts"
import { fetched } from "./Fetched.ts"
import { look, ok, wrong, type Finding } from "./Finding.ts"

/** The findings, and the names of integrations that are reached by webhooks. */
export const company = Effect.gen(function* () {
  const { configFile } = yield* Settings
  const read = yield* TroupeYaml.load(configFile, { env, types: integrationTypes }).pipe(
    Effect.provide(NodeFileSystem.layer),
    Effect.result,
  )
  if (Result.isFailure(read))
    return {
      findings: read.failure.problems.map((p) =>
        wrong("troupe.yaml", formatProblem(p), "npx troupe apply --check"),
      ),
      webhooks: [],
    }
  const { agents, integrations } = read.success
  return {
    findings: [ok("troupe.yaml", `${agents.length} agents, ${integrations.length} integrations.`)],
    webhooks: integrations
      .filter((i) => i.type === "github" || (i.type === "telegram" && i.settings.mode === "webhook"))
      .map((i) => i.name),
  }
})

export const model = Effect.gen(function* () {
  const { anthropicKey, anthropicBaseUrl } = yield* Settings
  if (Option.isNone(anthropicKey))
    return [
      look(
        "model",
        "The rehearsal answers, because ANTHROPIC_API_KEY is not set.",
        "export ANTHROPIC_API_KEY=",
      ),
    ]
  const url = Option.getOrElse(anthropicBaseUrl, () => "https://api.anthropic.com").replace(/\/$/, "")
  const answer = yield* fetched(`${url}/v1/models?limit=1`, {
    "x-api-key": Redacted.value(anthropicKey.value),
    "anthropic-version": "2023-06-01",
  })
  const found = ((): Finding => {
    if (answer === undefined) return wrong("model", `${url} does not answer.`, `curl -i ${url}/v1/models`)
    if (answer.status === 401 || answer.status === 403)
      return wrong("model", `${url} does not take ANTHROPIC_API_KEY.`, "export ANTHROPIC_API_KEY=")
    return ok("model", `${url} answers.`)
  })()
  return [found]
})
