/**
 * What the program of an outside agent has to know, as one file that only we may read: where the bus is, as whom, its own ids and
 * subjects. Also a context file of the NATS CLI, which knows some of these names and passes over the others.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { NatsPermissions } from "../../runtime/index.ts"
import type { Home } from "./Home.ts"

/** An outside agent and what it may do; `about` goes into its file as it is. */
export interface Outsider {
  readonly id: string
  readonly name: string
  readonly may: NatsPermissions.Permissions
  readonly about: object
}

export const fileOf = (home: Home, name: string) => join(home.path, "nats", `${name}.json`)

export const writeOutsider = (home: Home, url: string, { name, about }: Outsider, password: string) =>
  home.keep(
    `nats/${name}.json`,
    JSON.stringify({
      description: `Troupe, the outside agent ${name}`,
      url,
      user: name,
      password,
      inbox_prefix: NatsPermissions.inboxOf(name),
      context: fileOf(home, name),
      ...about,
    }),
  )

/** On a server of somebody's own: passwords are given there, and one that was written into the file stays in it. */
export const noteOutsiders = (home: Home, url: string) => (outsiders: ReadonlyArray<Outsider>) =>
  Effect.forEach(
    outsiders,
    (outsider) =>
      Effect.suspend(() =>
        writeOutsider(home, url.split(",")[0]!, outsider, passwordIn(fileOf(home, outsider.name))),
      ),
    { discard: true },
  )

/** How a person listens on such a server; the CLI takes the password from NATS_PASSWORD. */
export const inspectorOn = (url: string) =>
  `nats --server ${url} --user inspector --inbox-prefix ${NatsPermissions.inboxOf("inspector")}`

const passwordIn = (file: string): string =>
  existsSync(file)
    ? Option.getOrElse(
        Option.map(decodePassword(readFileSync(file, "utf8")), (known) => known.password),
        () => "",
      )
    : ""
const decodePassword = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ password: Schema.String })),
)
