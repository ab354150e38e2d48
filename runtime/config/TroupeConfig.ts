/**
 * What a company is made of: agents, integrations, budgets and prices, as `troupe.yaml` declares it.
 * Immutable; every default is filled in. Settings of an integration are typed by that integration: its schema is
 * handed in with a registry, because the runtime imports no integration.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Mode } from "../room/Order.ts"
import { Name, Text, WholeNumber } from "./YamlScalars.ts"

const Dollars = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0, { expected: "an amount of dollars" }))

const Host = Text.check(
  Schema.isPattern(/^(?:\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/, {
    expected: "a host name, like example.com or *.example.com",
  }),
)

export const AgentBlock = Schema.Struct({
  /** The handle: `@ada`. */
  name: Name,
  title: Text.pipe(Schema.withDecodingDefaultKey(Effect.succeed("Teammate"))),
  /** `outside`: a program of somebody else's that hears and speaks over NATS; absent: one of ours. */
  kind: Schema.optionalKey(Schema.Literals(["outside"])),
  /** Any model id; absent: TROUPE_MODEL. */
  model: Schema.optionalKey(Text),
  soul: Schema.optionalKey(Text),
  interests: Schema.Array(Text).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  /** Names of integrations; absent: all of them. */
  integrations: Schema.optionalKey(Schema.Array(Text)),
  /** How words reach it while it works; absent: as the integration says. */
  steering: Schema.optionalKey(Mode),
  /** Open words that are older when it hears them are left alone; what an outside agent does not answer in time is given up. Minutes. */
  patience: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0))),
  /** Hosts that its computer may reach: `example.com`, `*.example.com`; absent: as its owner set it, at first nothing. */
  network: Schema.optionalKey(Schema.Array(Host)),
  /** By tool: `allow` (what is not named), `ask` (a person says so each time) or `deny`. */
  permissions: Schema.optionalKey(Schema.Record(Schema.String, Schema.Literals(["allow", "ask", "deny"]))),
})

export const Budgets = Schema.Struct({
  /** Dollars for everything that follows from one message of a person. */
  perRoot: Dollars.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1))),
  perAgentPerDay: Dollars.pipe(Schema.withDecodingDefaultKey(Effect.succeed(20))),
  /** Dollars for all work in one room in a day; absent: no limit of its own. */
  perThreadPerDay: Schema.optionalKey(Dollars),
  /** Dollars for everything in a calendar month. */
  perMonth: Dollars.pipe(Schema.withDecodingDefaultKey(Effect.succeed(500))),
})
export type Budgets = typeof Budgets.Type

/** What is kept how long, in days; absent: for ever. Deliveries are kept nine days, whatever is set here (P1). */
export const Keep = Schema.Struct({
  /** Rooms go, whole, after so many days in which nothing was said. */
  quietRooms: Schema.optionalKey(WholeNumber.check(Schema.isBetween({ minimum: 7, maximum: 36_500 }))),
})
export type Keep = typeof Keep.Type

/** Dollars per million tokens. Cache prices follow from `input` where they are absent. */
export const Price = Schema.Struct({
  input: Dollars,
  output: Dollars,
  cacheRead: Schema.optionalKey(Dollars),
  cacheWrite5m: Schema.optionalKey(Dollars),
  cacheWrite1h: Schema.optionalKey(Dollars),
})
export type Price = typeof Price.Type

export interface AgentConfig {
  readonly name: string
  readonly title: string
  readonly model: string | null
  readonly soul: string
  readonly interests: ReadonlyArray<string>
  readonly integrations: ReadonlyArray<string>
  /** What of it differs from the default. */
  readonly settings: {
    readonly kind?: "outside"
    readonly steering?: Mode
    readonly patience?: number
    readonly network?: ReadonlyArray<string>
    readonly permissions?: Readonly<Record<string, "allow" | "ask" | "deny">>
  }
}

export interface IntegrationType<S extends Schema.ConstraintDecoder<unknown>> {
  /** Everything in the block but `name` and `type`. */
  readonly schema: S
  /** Settings that are left out when their whole value is a variable that is not set (`apiRoot: ${API_ROOT}`). */
  readonly mayBeUnset?: ReadonlyArray<string>
}
export type IntegrationTypes = Readonly<Record<string, IntegrationType<Schema.ConstraintDecoder<unknown>>>>

/** One configured integration, told apart by `type`. */
export type IntegrationConfig<T extends IntegrationTypes> = {
  readonly [K in keyof T & string]: {
    readonly name: string
    readonly type: K
    readonly settings: T[K]["schema"]["Type"]
  }
}[keyof T & string]

export interface TroupeConfig<T extends IntegrationTypes> {
  readonly agents: ReadonlyArray<AgentConfig>
  readonly integrations: ReadonlyArray<IntegrationConfig<T>>
  readonly budgets: Budgets
  readonly keep: Keep
  readonly prices: Readonly<Record<string, Price>>
}

/** The name and type of the page that is always there, unless the file declares a web integration itself. */
export const builtInWeb = { name: "web", type: "web" } as const

export const defaultSoul = (title: string): string =>
  `You are a dependable ${title}. You say what you did, show the evidence, and say plainly what you do not know.`

/** Who works here when there is no `troupe.yaml`. */
export const builtInAgents: ReadonlyArray<AgentConfig> = [
  {
    name: "ada",
    title: "Engineer",
    model: null,
    soul:
      "You build things and show your receipts: the command, its exit code, what changed. You try before you claim, " +
      "take the smallest step that settles the question, and say plainly when something failed.",
    interests: ["bug", "build", "code", "test", "run"],
    integrations: [builtInWeb.name],
    settings: {},
  },
  {
    name: "bo",
    title: "Reviewer",
    model: null,
    soul:
      "You read closely and ask the question that everyone skipped. You name the risk, the line it lives on and the " +
      "smallest change that removes it. You praise what is good in one sentence, and you approve when it is ready.",
    interests: ["review", "risk", "design", "security", "docs"],
    integrations: [builtInWeb.name],
    settings: {},
  },
]

/** Every secret in the settings, for the redaction registry. */
export const secretsOf = (config: {
  readonly integrations: ReadonlyArray<{ readonly settings: unknown }>
}): ReadonlyArray<Redacted.Redacted> => {
  const found: Array<Redacted.Redacted> = []
  const walk = (value: unknown): void => {
    if (Redacted.isRedacted(value)) found.push(value as Redacted.Redacted)
    else if (typeof value === "object" && value !== null) for (const part of Object.values(value)) walk(part)
  }
  for (const integration of config.integrations) walk(integration.settings)
  return found
}
