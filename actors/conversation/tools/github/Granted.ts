/** What the GitHub tools share: the grant of a call (P13), refusals as sentences, where a number or repository is named. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  refusalOf,
  type Github,
  type GithubFailure,
  type Grant,
  type Need,
} from "../../../../integrations/github/index.ts"
import { capText, OUTPUT_CAP } from "../../../sprite/index.ts"
import { done, Refusal } from "../SchemaTool.ts"
import { TurnContext } from "../Tool.ts"

export const repositoryField = Schema.optionalKey(
  Schema.String.check(Schema.isPattern(/^[\w.-]+\/[\w.-]+$/, { expected: "owner/name" })).annotate({
    description: "owner/name. Default: the repository of this room.",
  }),
)
export const numberField = Schema.optionalKey(
  Schema.Int.check(Schema.isGreaterThan(0)).annotate({
    description: "Of an issue or pull request. Default: that of this room.",
  }),
)

export interface Target {
  readonly repository?: string | undefined
  readonly number?: number | undefined
}

/** Rights are looked up now, at GitHub. */
export const granted = Effect.fnUntraced(function* (github: Github["Service"], need: Need, target: Target) {
  const turn = yield* TurnContext
  const grant = yield* asRefusal(github.grant(turn, need, target))
  return { grant, turn }
})

export const numberOf = (grant: Grant): Effect.Effect<number, Refusal> =>
  grant.number === null
    ? Effect.fail(new Refusal({ message: "Say the number of the issue or pull request." }))
    : Effect.succeed(grant.number)

export const asRefusal = <A, E, R>(
  effect: Effect.Effect<A, E | GithubFailure, R>,
): Effect.Effect<A, Exclude<E, GithubFailure> | Refusal, R> =>
  Effect.mapError(effect, (error) =>
    isGithubs(error) ? new Refusal({ message: refusalOf(error) }) : (error as Exclude<E, GithubFailure>),
  )

const tags = new Set(["GithubError", "GithubRefused", "GitError", "GitRefused"])
const isGithubs = (error: unknown): error is GithubFailure =>
  typeof error === "object" && error !== null && "_tag" in error && tags.has(String(error._tag))

export const text = (content: string) => done(capText(content, OUTPUT_CAP, null))
