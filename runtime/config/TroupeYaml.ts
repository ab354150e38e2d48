/**
 * `troupe.yaml` -> `TroupeConfig`. Strict: an unknown key, a wrong type, a missing variable, a name used twice, an
 * agent in an integration that does not exist are problems, reported all at once with file, line and column.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, type Problem } from "./ConfigError.ts"
import { decodeAt } from "./SchemaProblems.ts"
import {
  AgentBlock,
  type AgentConfig,
  Budgets,
  builtInAgents,
  builtInWeb,
  defaultSoul,
  type IntegrationConfig,
  type IntegrationTypes,
  Keep,
  Price,
  type TroupeConfig,
} from "./TroupeConfig.ts"
import { Name, Text } from "./YamlScalars.ts"
import { type Environment, parseYaml, type YamlSource } from "./YamlSource.ts"

export interface TroupeYamlOptions<T extends IntegrationTypes> {
  readonly env: Environment
  readonly types: T
}

const Outline = Schema.Struct({
  agents: Schema.optionalKey(Schema.NonEmptyArray(AgentBlock)),
  integrations: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))),
  budgets: Schema.optionalKey(Budgets),
  keep: Schema.optionalKey(Keep),
  prices: Schema.optionalKey(Schema.Record(Schema.String, Price)),
})

/** Reads `file`; when there is none, the built-in company, unless TROUPE_CONFIG names it. */
export const load = Effect.fn("TroupeYaml.load")(function* <T extends IntegrationTypes>(
  file: string,
  options: TroupeYamlOptions<T>,
) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.asSome,
    Effect.catchReason("PlatformError", "NotFound", () =>
      // Without the file the built-in company takes over: not because of a slip in a path that somebody wrote.
      (options.env["TROUPE_CONFIG"] ?? "") === ""
        ? Effect.succeedNone
        : Effect.fail(unusable(file, "There is no such file; correct or unset TROUPE_CONFIG.")),
    ),
    Effect.catchTag("PlatformError", () =>
      Effect.fail(unusable(file, "The file cannot be read; check its permissions.")),
    ),
  )
  return yield* Effect.fromResult(
    parse(
      file,
      Option.getOrElse(text, () => ""),
      options,
    ),
  )
})

const unusable = (file: string, message: string) =>
  new ConfigError({ problems: [{ file, line: 1, column: 1, message }] })

/** Decodes `text`; an empty file is the built-in company. `file` is only named in problems. */
export const parse = <T extends IntegrationTypes>(
  file: string,
  text: string,
  options: TroupeYamlOptions<T>,
): Result.Result<TroupeConfig<T>, ConfigError> => {
  const source = parseYaml(file, text, options.env)
  if (source.problems.length > 0) return Result.fail(new ConfigError({ problems: source.problems }))
  const problems: Array<Problem> = []
  const decoded = decodeAt(Outline, source.value ?? {}, source, [])
  if (Result.isFailure(decoded)) problems.push(...decoded.failure)

  const unset = new Set<string>()
  const integrations = readIntegrations(source, options.types, problems, unset)
  for (const { path, problem } of source.missing) {
    if (!unset.has(pathKey(path))) problems.push(problem)
  }
  checkNames(source, "agents", problems)
  checkNames(source, "integrations", problems)
  checkMembership(source, problems)
  checkOutside(source, problems)
  if (problems.length > 0 || Result.isFailure(decoded)) {
    return Result.fail(new ConfigError({ problems: inOrder(problems) }))
  }

  const outline = decoded.success
  const declaresWeb = integrations.some((integration) => integration.type === builtInWeb.type)
  const all = declaresWeb ? integrations : [builtIn(options.types), ...integrations]
  const everywhere = all.map((integration) => integration.name)
  const agents = (outline.agents ?? []).map((agent): AgentConfig => {
    const named = agent.integrations ?? everywhere
    return {
      name: agent.name,
      title: agent.title,
      model: agent.model ?? null,
      soul: agent.soul ?? (agent.kind === undefined ? defaultSoul(agent.title) : ""),
      interests: agent.interests,
      settings: {
        ...(agent.kind === undefined ? {} : { kind: agent.kind }),
        ...(agent.steering === undefined ? {} : { steering: agent.steering }),
        ...(agent.patience === undefined ? {} : { patience: agent.patience }),
        ...(agent.network === undefined ? {} : { network: agent.network }),
        ...(agent.permissions === undefined ? {} : { permissions: agent.permissions }),
      },
      integrations: declaresWeb || named.includes(builtInWeb.name) ? named : [builtInWeb.name, ...named],
    }
  })
  return Result.succeed({
    agents:
      outline.agents === undefined
        ? builtInAgents.map((agent) => ({ ...agent, integrations: everywhere }))
        : agents,
    integrations: all,
    budgets: outline.budgets ?? { perRoot: 1, perAgentPerDay: 20, perMonth: 500 },
    keep: outline.keep ?? {},
    prices: outline.prices ?? {},
  })
}

const readIntegrations = <T extends IntegrationTypes>(
  source: YamlSource,
  types: T,
  problems: Array<Problem>,
  unset: Set<string>,
): ReadonlyArray<IntegrationConfig<T>> => {
  const integrations: Array<IntegrationConfig<T>> = []
  for (const [index, block] of blocks(source, "integrations").entries()) {
    const path = ["integrations", index]
    const settings: Record<string, unknown> = { ...block }
    delete settings.name
    delete settings.type
    const head = decodeAt(Schema.Struct({ name: Name, type: Text }), { ...pick(block) }, source, path)
    if (Result.isFailure(head)) {
      problems.push(...head.failure)
      continue
    }
    const known = Object.hasOwn(types, head.success.type) ? types[head.success.type] : undefined
    if (known === undefined) {
      const names = Object.keys(types).join(", ")
      const message = `There is no integration of type "${head.success.type}"; write one of: ${names}.`
      problems.push(source.at([...path, "type"], message))
      continue
    }
    for (const key of known.mayBeUnset ?? []) {
      const whole = settings[key]
      const missing = source.missing.find((missing) => pathKey(missing.path) === pathKey([...path, key]))
      if (missing !== undefined && whole === `\${${missing.variable}}`) {
        unset.add(pathKey(missing.path))
        delete settings[key]
      }
    }
    const decoded = decodeAt(known.schema, settings, source, path)
    if (Result.isFailure(decoded)) problems.push(...decoded.failure)
    else integrations.push({ ...head.success, settings: decoded.success } as IntegrationConfig<T>)
  }
  return integrations
}

/** The built-in page: its schema must accept an empty block. */
const builtIn = <T extends IntegrationTypes>(types: T): IntegrationConfig<T> => {
  const schema = types[builtInWeb.type]?.schema ?? Schema.Struct({})
  return { ...builtInWeb, settings: Schema.decodeUnknownSync(schema)({}) } as IntegrationConfig<T>
}

const checkNames = (source: YamlSource, list: "agents" | "integrations", problems: Array<Problem>): void => {
  const seen = new Set<unknown>()
  for (const [index, block] of blocks(source, list).entries()) {
    if (typeof block.name !== "string") continue
    if (seen.has(block.name)) {
      const message = `The name "${block.name}" is used twice in ${list}; give one of them another name.`
      problems.push(source.at([list, index, "name"], message))
    }
    seen.add(block.name)
  }
}

const checkMembership = (source: YamlSource, problems: Array<Problem>): void => {
  const declared = blocks(source, "integrations")
  const names = declared.flatMap(({ name }) => (typeof name === "string" ? [name] : []))
  if (!declared.some(({ type }) => type === builtInWeb.type)) names.push(builtInWeb.name)
  for (const [index, agent] of blocks(source, "agents").entries()) {
    const wanted: ReadonlyArray<unknown> = Array.isArray(agent.integrations) ? agent.integrations : []
    for (const [place, name] of wanted.entries()) {
      if (typeof name !== "string" || names.includes(name)) continue
      const message = `There is no integration named "${name}"; declare it under integrations, or name one of: ${names.join(", ")}.`
      problems.push(source.at(["agents", index, "integrations", place], message))
    }
  }
}

/** What an outside agent cannot have: its mind is elsewhere, and its name is that of a NATS user and of a file beside ours. */
const checkOutside = (source: YamlSource, problems: Array<Problem>): void => {
  for (const [index, agent] of blocks(source, "agents").entries()) {
    if (agent.kind !== "outside") continue
    for (const key of ["model", "soul", "interests", "steering", "permissions"]) {
      if (!(key in agent)) continue
      const message = `An outside agent thinks for itself, "${key}" has no meaning here; remove it.`
      problems.push(source.atKey(["agents", index, key], message))
    }
    if (typeof agent.name === "string" && reservedNames.includes(agent.name)) {
      const message = `An outside agent cannot be named ${agent.name}, which is a user of the bus; give it another name.`
      problems.push(source.at(["agents", index, "name"], message))
    }
  }
}
const reservedNames = ["access", "inspector", "runtime", "system"]

const blocks = (source: YamlSource, list: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  const value = (source.value as Readonly<Record<string, unknown>> | null | undefined)?.[list]
  return Array.isArray(value)
    ? value.map((item: unknown) =>
        typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {},
      )
    : []
}

const pick = (block: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(["name", "type"].flatMap((key) => (key in block ? [[key, block[key]]] : [])))

const pathKey = (path: ReadonlyArray<PropertyKey>): string => path.map(String).join("\n")

const inOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
