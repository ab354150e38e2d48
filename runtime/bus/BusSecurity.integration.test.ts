/** Ways into a nats-server of one's own: nkeys, credentials files (JWT) and TLS, each on a real server. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys"
import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { testDirectory, testWorkspace } from "../../infra/testing/index.ts"
import { freePort } from "../../infra/testing/TestServer.ts"
import type { WorkspaceId } from "../room/Id.ts"
import { Bus } from "./Bus.ts"
import { layer, type NatsAddress } from "./BusNats.ts"

const servers: Array<ChildProcess> = []
afterAll(() => servers.forEach((server) => server.kill("SIGKILL")))

/** A server with this in its configuration; its address without a scheme. */
const start = async (config: (dir: string) => string): Promise<string> => {
  const dir = testDirectory()
  mkdirSync(join(dir, "store"))
  const at = `127.0.0.1:${await freePort()}`
  const file = join(dir, "nats.conf")
  writeFileSync(
    file,
    `listen: "${at}"\njetstream { store_dir: "${join(dir, "store")}", max_file: 4G }\n${config(dir)}`,
  )
  const server = spawn("nats-server", ["-c", file], { stdio: ["ignore", "ignore", "pipe"] })
  servers.push(server)
  let said = ""
  while (!said.includes("Server is ready")) {
    const [part] = (await once(server.stderr, "data")) as [Buffer]
    said += part.toString()
    if (/\[FTL\]|nats-server:/.test(said)) throw new Error(said)
  }
  return at
}

/** Connects as Troupe does, makes the stream and publishes once. */
const attempt = (address: NatsAddress) => {
  const ws = testWorkspace() as WorkspaceId
  return Effect.runPromiseExit(
    Effect.flatMap(Bus, (bus) =>
      Effect.andThen(
        bus.publish([{ subject: `troupe.${ws}.thread.d.t.message`, id: "1", payload: "{}" }]),
        bus.state,
      ),
    ).pipe(Effect.provide(layer(address, ws)), Effect.scoped),
  )
}
const works = async (address: NatsAddress) =>
  expect(await attempt(address)).toMatchObject(Exit.succeed({ connected: true }))
const fails = async (address: NatsAddress, why: RegExp) => {
  const exit = await attempt(address)
  expect(Exit.isFailure(exit) ? String(exit.cause) : "it came in").toMatch(why)
}

it("an nkey: the file in NATS_CREDS holds the seed and nothing else", async () => {
  const user = createUser()
  const at = await start(
    () => `accounts { TROUPE { jetstream: enabled, users: [ { nkey: ${user.getPublicKey()} } ] } }`,
  )
  const seed = (pair: KeyPair) => Redacted.make(`${new TextDecoder().decode(pair.getSeed())}\n`)
  await works({ url: `nats://${at}`, creds: seed(user) })
  await fails({ url: `nats://${at}`, creds: seed(createUser()) }, /authorization/i)
  await fails({ url: `nats://${at}` }, /authorization/i)
})

const base64 = (data: string | Uint8Array) => Buffer.from(data).toString("base64url")
/** A JWT as nsc makes it. */
const jwt = (issuer: KeyPair, subject: KeyPair, nats: object) => {
  const head = base64(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }))
  const claims = {
    jti: base64(subject.getPublicKey()),
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "troupe",
    nats: { version: 2, ...nats },
  }
  const body = `${head}.${base64(JSON.stringify(claims))}`
  return `${body}.${base64(issuer.sign(new TextEncoder().encode(body)))}`
}

it("a credentials file: NATS_CREDS as nsc writes it", async () => {
  const [operator, account, system, user, stranger] = [
    createOperator(),
    createAccount(),
    createAccount(),
    createUser(),
    createAccount(),
  ]
  const open = { subs: -1, data: -1, payload: -1 }
  const ofAccount = {
    type: "account",
    limits: {
      ...open,
      imports: -1,
      exports: -1,
      wildcards: true,
      conn: -1,
      leaf: -1,
      mem_storage: -1,
      disk_storage: -1,
      streams: -1,
      consumer: -1,
    },
  }
  const at = await start(
    () => `operator: ${jwt(operator, operator, { type: "operator", system_account: system.getPublicKey() })}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${jwt(operator, account, ofAccount)}
  ${system.getPublicKey()}: ${jwt(operator, system, { type: "account", limits: { ...ofAccount.limits, disk_storage: 0, mem_storage: 0 } })}
}`,
  )
  const creds = (issuer: KeyPair) =>
    Redacted.make(`-----BEGIN NATS USER JWT-----
${jwt(issuer, user, { type: "user", ...open })}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${new TextDecoder().decode(user.getSeed())}
------END USER NKEY SEED------
`)
  await works({ url: `nats://${at}`, creds: creds(account) })
  await fails({ url: `nats://${at}`, creds: creds(stranger) }, /authorization/i)
})

it("TLS: tls:// is content with nothing less, and with no certificate that it does not know", async () => {
  const password = Redacted.make("secret-password")
  const users = `accounts { TROUPE { jetstream: enabled, users: [ { user: runtime, password: secret-password } ] } }`
  const secret = { user: "runtime", password }
  const plain = await start(() => users)
  await works({ url: `nats://${plain}`, ...secret })
  await fails({ url: `tls://${plain}`, ...secret }, /tls/i)

  let certificate = ""
  const at = await start((dir) => {
    certificate = join(dir, "cert.pem")
    const key = join(dir, "key.pem")
    execFileSync(
      "openssl",
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=nats -addext subjectAltName=DNS:localhost -keyout ${key} -out ${certificate}`.split(
        " ",
      ),
      { stdio: "ignore" },
    )
    return `${users}\ntls { cert_file: "${certificate}", key_file: "${key}" }`
  })
  const url = `tls://localhost:${at.split(":")[1]}`
  await fails({ url, ...secret }, /self-signed/i)
  // A certificate of one's own is made known to Node at its start.
  const code = `
    import * as Effect from "${import.meta.resolve("effect/Effect")}"
    import * as Redacted from "${import.meta.resolve("effect/Redacted")}"
    import { layer } from "${new URL("BusNats.ts", import.meta.url).href}"
    import { Bus } from "${new URL("Bus.ts", import.meta.url).href}"
    const address = { url: "${url}", user: "runtime", password: Redacted.make("secret-password") }
    console.log(await Effect.runPromise(
      Effect.flatMap(Bus, (bus) => bus.state).pipe(Effect.provide(layer(address, "tls")), Effect.scoped)))`
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { NODE_EXTRA_CA_CERTS: certificate },
    encoding: "utf8",
  })
  expect(out).toContain("connected: true")
})
