/**
 * The configuration of our nats-server: loopback only, JetStream on disk. All users stand in `accounts`: with `authorization`
 * beside `accounts`, servers before 2.9.23 let anonymous clients in (CVE-2023-47090). Who may do what: runtime/bus/Permissions.ts.
 */
import { NatsPermissions } from "../../runtime/index.ts"

export interface NatsUser {
  readonly user: string
  /** As it stands in the file: a quoted password, or a `$VARIABLE` of the server's environment. */
  readonly password: string
  /** Absent: everything. */
  readonly may?: NatsPermissions.Permissions
}

export interface NatsSetup {
  readonly port: number
  /** The directory for the store and the pid file. */
  readonly dir: string
  /** As printed by the server: "2.9.10". */
  readonly version: string
  /** What all streams together may reserve: each room stream reserves 1 GiB. */
  readonly maxFile?: string
  readonly passwords: { readonly runtime: string; readonly inspector: string; readonly system: string }
  readonly outside?: ReadonlyArray<NatsUser>
}

export const natsConfig = ({ port, dir, version, passwords, maxFile = "8G", outside = [] }: NatsSetup) => {
  const quoted = (password: string) => JSON.stringify(password)
  return `host: 127.0.0.1
port: ${port}
server_name: troupe
pid_file: ${quoted(`${dir}/nats.pid`)}
max_payload: 1MB
jetstream {
  store_dir: ${quoted(`${dir}/store`)}
  max_mem: 256M
  max_file: ${maxFile}${atLeast(version, [2, 10]) ? "\n  sync_interval: always" : ""}
}
accounts {
  ${account([
    { user: "runtime", password: quoted(passwords.runtime) },
    { user: "inspector", password: quoted(passwords.inspector), may: NatsPermissions.inspector },
    ...outside,
  ])}
  SYS { users: [ { user: system, password: ${quoted(passwords.system)} } ] }
}
system_account: SYS
`
}

/** The users of a company, in an account of its own. Also what a person puts into the configuration of another server. */
export const account = (users: ReadonlyArray<NatsUser>): string => {
  const list = (subjects: ReadonlyArray<string>) => subjects.map((one) => JSON.stringify(one)).join(", ")
  const rows = users.map(({ user, password, may }) =>
    may === undefined
      ? `{ user: ${user}, password: ${password} }`
      : `{ user: ${user}, password: ${password}, permissions: {
        publish: { allow: [ ${list(may.publish)} ] }
        subscribe: { allow: [ ${list(may.subscribe)} ] }
      } }`,
  )
  return `TROUPE {
    jetstream: enabled
    users: [
      ${rows.join("\n      ")}
    ]
  }`
}

/** Whether `version` ("2.10.27", "2.12.0-beta.1") is at least `wanted`. */
export const atLeast = (version: string, wanted: ReadonlyArray<number>): boolean => {
  const have = version.split(/[.-]/).map(Number)
  for (const [at, least] of wanted.entries()) {
    const own = have[at] ?? 0
    if (own !== least) return own > least
  }
  return true
}
