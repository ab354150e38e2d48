/**
 * What runs where (DESIGN.md section 9): each server is external when the environment names it, else embedded. They start
 * beside each other. One sentence each, for the banner and the page.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { Settings, SettingsError, type BusNatsAddress } from "../runtime/index.ts"
import {
  bubblewrap,
  EmbeddedError,
  inspectorOn,
  noteOutsiders,
  openHome,
  startNats,
  startPostgres,
  systemProgram,
  type Home,
  type Outsider,
} from "./embedded/index.ts"
import { parseNatsUrl } from "./NatsUrl.ts"

export interface Part {
  readonly name: string
  readonly where: string
  /** To be shown in red. */
  readonly warning?: string
}

export interface Servers {
  readonly home: Home
  readonly database: Redacted.Redacted
  readonly nats: BusNatsAddress
  /** Lets exactly these outside agents in, where the server is ours. */
  readonly admit: (outsiders: ReadonlyArray<Outsider>) => Effect.Effect<void, EmbeddedError>
  readonly sprites: { readonly url: string; readonly token: Redacted.Redacted }
  readonly anthropic: {
    readonly apiKey: Redacted.Redacted
    readonly baseUrl?: string
    readonly rehearsal: boolean
  }
  readonly cliToken: Redacted.Redacted
  readonly encryptionKey: Redacted.Redacted
  readonly parts: ReadonlyArray<Part>
  /** The command that listens to the bus. */
  readonly listen: string
}

const fresh = () => randomBytes(32).toString("hex")

export const servers = Effect.gen(function* () {
  const settings = yield* Settings
  const home = yield* openHome(settings.home)
  const [database, nats, sprites, anthropic] = yield* Effect.all(
    [postgresOf(home), natsOf(home), spritesOf(home), anthropicOf],
    { concurrency: "unbounded" },
  )
  const key = yield* home.secret("encryption.key", fresh)
  return {
    home,
    database: database.url,
    nats: nats.address,
    admit: nats.admit,
    sprites: sprites.address,
    anthropic: anthropic.access,
    cliToken: Redacted.make((yield* home.secret("cli.token", fresh)).trim()),
    encryptionKey: Option.getOrElse(settings.encryptionKey, () => Redacted.make(key.trim())),
    parts: [database.part, nats.part, sprites.part, anthropic.part],
    listen: nats.listen,
  } satisfies Servers
})

/** Where a server is, without what is secret in its address. */
const shown = (url: string): string => {
  const parsed = URL.parse(url)
  return parsed === null ? "as configured" : parsed.host
}

const postgresOf = Effect.fnUntraced(function* (home: Home) {
  const { databaseUrl } = yield* Settings
  if (Option.isSome(databaseUrl)) {
    const where = `yours, ${shown(Redacted.value(databaseUrl.value))}`
    return { url: databaseUrl.value, part: { name: "Postgres", where } }
  }
  const server = yield* startPostgres(home)
  return { url: server.url, part: { name: "Postgres", where: `embedded, ${server.version}` } }
})

const natsOf = Effect.fnUntraced(function* (home: Home) {
  const { natsUrl, natsCreds } = yield* Settings
  if (Option.isNone(natsUrl)) {
    const server = yield* startNats(home)
    const address: BusNatsAddress = { url: server.url, user: server.user, password: server.password }
    return {
      address,
      admit: server.admit,
      part: { name: "NATS", where: `embedded, ${server.version}` },
      listen: server.listen,
    }
  }
  const parsed = yield* Effect.fromResult(parseNatsUrl(natsUrl.value)).pipe(
    Effect.mapError((message) => new SettingsError({ message })),
  )
  const creds = Option.isNone(natsCreds)
    ? undefined
    : yield* Effect.try({
        try: () => Redacted.make(readFileSync(natsCreds.value, "utf8")),
        catch: (cause) =>
          new EmbeddedError({
            part: "nats",
            message: `NATS_CREDS names ${natsCreds.value}, which cannot be read: check the path and its permissions.`,
            cause,
          }),
      })
  const address: BusNatsAddress = { ...parsed, ...(creds === undefined ? {} : { creds }) }
  return {
    address,
    admit: noteOutsiders(home, address.url),
    part: { name: "NATS", where: `yours, ${address.url}` },
    listen: `${inspectorOn(address.url)} sub 'troupe.>'`,
  }
})

const spritesOf = Effect.fnUntraced(function* (home: Home) {
  const { spritesToken, spritesUrl, unsafeLocalExec } = yield* Settings
  if (Option.isSome(spritesToken)) {
    const url = Option.getOrElse(spritesUrl, () => "https://api.sprites.dev")
    return {
      address: { url, token: spritesToken.value },
      part: { name: "Sandboxes", where: `Fly Sprites, ${shown(url)}` } as Part,
    }
  }
  const { start } = yield* Effect.promise(() => import("./embedded/sprites/index.ts"))
  // Without bubblewrap the server runs and refuses commands with the reason: everything else works.
  const bwrap = yield* systemProgram(bubblewrap).pipe(
    Effect.catchTag("EmbeddedError", (e) => Effect.as(Effect.logWarning(e.message), undefined)),
  )
  const local = yield* start({
    home: home.path,
    file: `${home.path}/sprites.json`,
    unsafeLocalExec,
    ...(bwrap === undefined ? {} : { bwrap }),
  })
  if (local.status.lost.length > 0)
    yield* Effect.logInfo(
      `Commands in sandboxes that ended with the last start: ${local.status.lost.join(", ")}`,
    )
  const isolation = {
    bubblewrap: "local, under bubblewrap, network by policy only",
    none: "local, NOT isolated",
    refused: "local, commands refused",
  }[local.status.isolation]
  const part: Part = {
    name: "Sandboxes",
    where: isolation,
    ...(local.status.warning === undefined ? {} : { warning: local.status.warning }),
  }
  return { address: { url: local.url, token: Redacted.make(local.token) }, part }
})

const anthropicOf = Effect.gen(function* () {
  const { anthropicKey, anthropicBaseUrl } = yield* Settings
  if (Option.isSome(anthropicKey)) {
    const access = {
      apiKey: anthropicKey.value,
      rehearsal: false,
      ...(Option.isSome(anthropicBaseUrl) ? { baseUrl: anthropicBaseUrl.value } : {}),
    }
    const where = Option.isSome(anthropicBaseUrl)
      ? `Anthropic API at ${shown(anthropicBaseUrl.value)}`
      : "Anthropic"
    return { access, part: { name: "Model", where } as Part }
  }
  const { Rehearsal } = yield* Effect.promise(() => import("./embedded/rehearsal/index.ts"))
  const server = yield* Rehearsal.start({})
  const access = { apiKey: Redacted.make(server.apiKey), baseUrl: server.url, rehearsal: true }
  return {
    access,
    part: { name: "Model", where: "rehearsal (no ANTHROPIC_API_KEY): answers by plain rules" } as Part,
  }
})
