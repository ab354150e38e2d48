/**
 * The configuration of our nats-server: loopback only, JetStream on disk, two users. All users stand in `accounts`: with
 * `authorization` beside `accounts`, servers before 2.9.23 let anonymous clients in (CVE-2023-47090).
 * The inspector hears everything under `troupe.>` and reads the streams; it may publish nothing but those read requests,
 * and make no consumer: on one server that right would also let it take messages from the agents' own consumers.
 */
export const INSPECTOR_INBOX = "_INBOX_inspector"

const READ_REQUESTS = [
  "$JS.API.INFO",
  "$JS.API.ACCOUNT.INFO",
  "$JS.API.STREAM.NAMES",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.INFO.*",
  "$JS.API.STREAM.MSG.GET.*",
  "$JS.API.DIRECT.GET.>",
  "$JS.API.CONSUMER.NAMES.*",
  "$JS.API.CONSUMER.LIST.*",
  "$JS.API.CONSUMER.INFO.*.*",
]

export interface NatsSetup {
  readonly port: number
  /** The directory for the store and the pid file. */
  readonly dir: string
  /** As printed by the server: "2.9.10". */
  readonly version: string
  /** What all streams together may reserve: each room stream reserves 1 GiB. */
  readonly maxFile?: string
  readonly passwords: { readonly runtime: string; readonly inspector: string; readonly system: string }
}

export const natsConfig = ({ port, dir, version, passwords, maxFile = "8G" }: NatsSetup): string => {
  const list = (subjects: ReadonlyArray<string>) => subjects.map((one) => JSON.stringify(one)).join(", ")
  return `host: 127.0.0.1
port: ${port}
server_name: troupe
pid_file: ${JSON.stringify(`${dir}/nats.pid`)}
max_payload: 1MB
jetstream {
  store_dir: ${JSON.stringify(`${dir}/store`)}
  max_mem: 256M
  max_file: ${maxFile}${atLeast(version, [2, 10]) ? "\n  sync_interval: always" : ""}
}
accounts {
  TROUPE {
    jetstream: enabled
    users: [
      { user: runtime, password: ${JSON.stringify(passwords.runtime)} }
      { user: inspector, password: ${JSON.stringify(passwords.inspector)}, permissions: {
        publish: { allow: [ ${list(READ_REQUESTS)} ] }
        subscribe: { allow: [ ${list([`${INSPECTOR_INBOX}.>`, "troupe.>"])} ] }
      } }
    ]
  }
  SYS { users: [ { user: system, password: ${JSON.stringify(passwords.system)} } ] }
}
system_account: SYS
`
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
