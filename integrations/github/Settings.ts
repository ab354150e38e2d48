/** The `github` block of troupe.yaml (everything but `name` and `type`). */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Mode, Name, Secret, Text, WholeNumber } from "../../runtime/index.ts"
import { knownEvents } from "./Payload.ts"

/** What a person may do in a repository, as GitHub has it; each includes those before it. */
export const levels = ["none", "read", "triage", "write", "maintain", "admin"] as const
export type Level = (typeof levels)[number]

const LevelSetting = Schema.Literals(levels.slice(1) as ReadonlyArray<Exclude<Level, "none">>)

/** Of one repository; what is left out is as in the block itself. */
export const RepositoryPolicy = Schema.Struct({
  /** Events that are heard. */
  events: Schema.optionalKey(Schema.Array(Schema.Literals(knownEvents))),
  /** From which permission on people are answered. */
  ask: Schema.optionalKey(LevelSetting),
  /** From which permission on people may have commands run and writes made. */
  command: Schema.optionalKey(LevelSetting),
  /** Who works there; everybody behind the integration when it is left out. */
  agents: Schema.optionalKey(Schema.NonEmptyArray(Name)),
})
export type RepositoryPolicy = typeof RepositoryPolicy.Type

export const GithubSettings = Schema.Struct({
  appId: Text,
  privateKey: Secret,
  webhookSecret: Secret,
  apiUrl: Schema.optionalKey(Text),
  /** An issue or pull request that gets this label is work. */
  workLabel: Schema.optionalKey(Text),
  triage: Schema.Literals(["off", "interests", "model"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("off" as const)),
  ),
  /** How words reach an agent at work. */
  steering: Mode.pipe(Schema.withDecodingDefaultKey(Effect.succeed("join" as const))),
  /** People who may steer everybody's work, give permissions and grant money, by numeric id. */
  operators: Schema.Array(WholeNumber).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  ask: Schema.optionalKey(LevelSetting),
  command: Schema.optionalKey(LevelSetting),
  /** `owner/name` or `owner/*`. A repository that is not named has the policy of the block. */
  repositories: Schema.Record(Schema.String, RepositoryPolicy).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({})),
  ),
})
export type GithubSettings = typeof GithubSettings.Type

/** For the registry of integration types. */
export const githubIntegration = { schema: GithubSettings, mayBeUnset: ["apiUrl"] } as const
