/** Programs elsewhere, as docs/bus.md shows them, in a company of their own; and all that went over the bus meanwhile. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { Subject, type Event } from "../../runtime/index.ts"
import { commandsOf } from "../cli/InspectCommand.ts"
import { testDatabase, testDirectory } from "../testing/index.ts"
import { freePort } from "../testing/TestServer.ts"
import { RuntimeProcess } from "./RuntimeProcess.ts"

const docs = join(import.meta.dirname, "../../docs")
const home = testDirectory()
const company = (...more: ReadonlyArray<object>) =>
  writeFileSync(
    join(home, "troupe.yaml"),
    JSON.stringify({ agents: [{ name: "ada" }, { name: "eve", kind: "outside" }, ...more] }),
  )
const credentials = (name: string) => join(home, "troupe/nats", `${name}.json`)
const read = (name: string) => JSON.parse(readFileSync(credentials(name), "utf8")) as Record<string, string>
const children: Array<ChildProcess> = []
const heard: Array<{ readonly subject: string; readonly payload: string }> = []
let runtime: RuntimeProcess
let inspector: NatsConnection
let api: <A>(path: string, body?: object) => Promise<A>

beforeAll(async () => {
  company()
  const port = String(await freePort())
  runtime = new RuntimeProcess(home, { DATABASE_URL: await testDatabase(), PORT: port })
  await runtime.start()
  const token = readFileSync(join(home, "troupe/cli.token"), "utf8").trim()
  api = async <A>(path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}/api${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return (await response.json()) as A
  }
  const { url, user, password, inbox_prefix } = read("inspector")
  inspector = await connect({ servers: url!, user: user!, pass: password!, inboxPrefix: inbox_prefix! })
  inspector.subscribe("troupe.>", {
    callback: (_, m) => void heard.push({ subject: m.subject, payload: m.string() }),
  })
  await inspector.flush()
})
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL")
  await inspector.close()
  await runtime.killEverything()
})

/** Runs a program of the docs; `shows` waits for its output. */
const run = (file: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] })
  children.push(child)
  let out = ""
  const waiting = new Set<() => void>()
  const note = (part: Buffer) => {
    out += part.toString()
    for (const look of waiting) look()
  }
  child.stdout.on("data", note)
  child.stderr.on("data", note)
  const ended = new Promise<never>((_, reject) =>
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${out}`))),
  )
  ended.catch(() => {})
  const shows = (what: RegExp) =>
    Promise.race([
      ended,
      new Promise<RegExpExecArray>((resolve) => {
        const look = () => {
          const found = what.exec(out)
          if (found !== null) resolve(found)
        }
        waiting.add(look)
        look()
      }),
    ])
  return { child, shows, write: (line: string) => child.stdin.write(`${line}\n`) }
}

const openRoom = async (title: string) => (await api<{ id: string }>("/rooms", { title })).id
let serial = 0
const say = (room: string, text: string) =>
  api<{ event: string; pos: number }>(`/rooms/${room}/say`, { id: `t${serial++}`, text })
const log = async (room: string) =>
  (await api<{ events: ReadonlyArray<Event> }>(`/rooms/${room}/events?after=0`)).events
const answerTo = async (room: string, event: string) =>
  (await log(room)).find((e) => e.kind === "message" && e.replyTo === event)

it("the Python program answers whoever asks it, also what was said while it was away, and once", async () => {
  const room = await openRoom("Python")
  const early = await say(room, "@eve count these five words")
  const python = run("python3", join(docs, "examples/outside_agent.py"), credentials("eve"))
  await expect
    .poll(() => answerTo(room, early.event), { timeout: 15_000 })
    .toMatchObject({
      text: "You said 5 words, Owner.",
      author: { name: "eve", kind: "agent" },
      hop: 1,
    })
  await python.shows(/'pos': \d+/)
  const late = await say(room, "@eve and these")
  await expect.poll(() => answerTo(room, late.event), { timeout: 15_000 }).toBeDefined()
  // Killed and started again, it hears nothing twice that it has answered.
  python.child.kill("SIGKILL")
  const again = run("python3", join(docs, "examples/outside_agent.py"), credentials("eve"))
  const last = await say(room, "@eve again")
  await expect.poll(() => answerTo(room, last.event), { timeout: 15_000 }).toBeDefined()
  const said = (await log(room)).filter((e) => e.kind === "message" && e.author.name === "eve")
  expect(said.length).toBe(3)
  again.child.kill("SIGKILL")
})

it("the shell program hears a room and speaks in it", async () => {
  const room = await openRoom("Shell")
  const shell = run("bash", join(docs, "examples/outside-agent.sh"), credentials("eve"))
  const asked = await say(room, "@eve are you there?")
  await shell.shows(new RegExp(`"id":"${asked.event}"`))
  shell.write(`${room} Yes, with "quotes" and \\ and ümlauts.`)
  await shell.shows(/\{"event":"\w+","pos":\d+,"thread":"\w+"\}/)
  expect(await answerTo(room, asked.event)).toMatchObject({
    text: 'Yes, with "quotes" and \\ and ümlauts.',
  })
  shell.write("nowhere hello")
  await shell.shows(/\{"error":"There is no room nowhere[^"]*"\}/)
  shell.child.kill("SIGKILL")
})

it("who joins while it runs gets its way in at once; who leaves loses it", async () => {
  company({ name: "max", kind: "outside", integrations: ["web"] })
  expect(await api("/apply", {})).toEqual({ agents: ["ada", "eve", "max"] })
  await expect.poll(() => existsSync(credentials("max")), { timeout: 10_000 }).toBe(true)
  const room = await openRoom("Joined")
  const python = run("python3", join(docs, "examples/outside_agent.py"), credentials("max"))
  const { event } = await say(room, "@max hello")
  await expect.poll(() => answerTo(room, event), { timeout: 15_000 }).toBeDefined()
  const gone = new Promise((resolve) => python.child.once("exit", resolve))
  company()
  await api("/apply", {})
  await gone
  expect(existsSync(credentials("max"))).toBe(false)
})

/** What the NATS CLI sends for a command, and what it shows of the answer. */
const asCli: Readonly<Record<string, (one: string) => Promise<unknown>>> = {
  "sub 'troupe.>'": async () => {
    const room = await openRoom("Heard")
    const { event } = await say(room, "@eve hello")
    await expect.poll(() => heard.some((h) => h.payload.includes(event))).toBe(true)
  },
  "stream ls": async (stream) => {
    const answer = await inspector.request("$JS.API.STREAM.LIST", '{"offset":0}')
    expect(answer.json()).toMatchObject({ streams: [{ config: { name: stream } }] })
  },
  "consumer ls": async (stream) => {
    const names = await inspector.request("$JS.API.STREAM.NAMES", '{"offset":0}')
    expect(names.json()).toMatchObject({ streams: [stream] })
    const list = await inspector.request(`$JS.API.CONSUMER.LIST.${stream}`, '{"offset":0}')
    // One of ada's and one of eve's own; an example that was just heard may still have its.
    expect(list.json<{ total: number }>().total).toBeGreaterThanOrEqual(2)
  },
  "micro ls": async () => {
    const names: Array<string> = []
    for await (const m of await inspector.requestMany("$SRV.PING", "", { maxWait: 300, strategy: "stall" }))
      names.push(m.json<{ name: string }>().name)
    expect(names).toEqual(["troupe"])
  },
  "micro info troupe": async () => {
    const { workspace } = read("eve")
    const info = await inspector.request("$SRV.INFO.troupe", "")
    expect(info.json()).toMatchObject({
      endpoints: [{ name: "say", subject: `troupe.${workspace}.say.*.*` }],
    })
  },
  "micro stats troupe": async () => {
    const stats = await inspector.request("$SRV.STATS.troupe", "")
    const [endpoint] = stats.json<{
      endpoints: ReadonlyArray<{ num_requests: number; num_errors: number }>
    }>().endpoints
    expect(endpoint!.num_requests).toBeGreaterThan(3)
    expect(endpoint!.num_errors).toBe(1)
  },
}

it("every command that is printed does, sent as the NATS CLI sends it, what it says", async () => {
  const context = credentials("inspector")
  const printed = commandsOf(`nats --context ${context}`)
  expect(runtime.log).toContain(printed[0])
  const stream = read("eve")["stream"]!
  for (const command of printed) {
    const rest = command.replace(`nats --context ${context} `, "")
    expect(Object.keys(asCli)).toContain(rest)
    await asCli[rest]!(stream)
  }
})

it("the printed configuration runs another server, with the same rights", async () => {
  const users = readFileSync(join(home, "troupe/nats/users.conf"), "utf8")
  const at = `127.0.0.1:${await freePort()}`
  const config = join(home, "own.conf")
  writeFileSync(config, `listen: "${at}"\njetstream { store_dir: "${join(home, "own")}" }\n${users}`)
  const server = spawn("nats-server", ["-c", config], {
    env: {
      PATH: process.env["PATH"],
      TROUPE_RUNTIME_PASSWORD: "one",
      TROUPE_INSPECTOR_PASSWORD: "two",
      TROUPE_EVE_PASSWORD: "three",
    },
    stdio: ["ignore", "ignore", "pipe"],
  })
  children.push(server)
  let said = ""
  while (!said.includes("Server is ready"))
    said += String(((await once(server.stderr, "data")) as [Buffer])[0])
  const { say: mine } = read("eve")
  const own = await connect({ servers: at, user: "runtime", pass: "one" })
  own.subscribe("troupe.>", { callback: (_, m) => void m.respond("heard") })
  await own.flush()
  const eve = await connect({ servers: at, user: "eve", pass: "three", inboxPrefix: "_INBOX_eve" })
  expect((await eve.request(`${mine}.room`, "{}")).string()).toBe("heard")
  await expect(eve.request("troupe.w.say.other.room", "{}")).rejects.toThrow(/permissions violation/i)
  const listener = await connect({
    servers: at,
    user: "inspector",
    pass: "two",
    inboxPrefix: "_INBOX_inspector",
  })
  const hears = listener.subscribe("troupe.>", { max: 1 })
  await listener.flush()
  own.publish("troupe.w.live.room.agent", "{}")
  for await (const m of hears) expect(m.subject).toBe("troupe.w.live.room.agent")
  await expect(listener.request(`${mine}.room`, "{}")).rejects.toThrow(/permissions violation/i)
  await Promise.all([eve.close(), own.close(), listener.close()])
})

it("all that went over the bus is as the checked-in schemas say", async () => {
  const room = await openRoom("Everything")
  const { event } = await say(room, "@ada run: echo hello")
  await expect.poll(() => answerTo(room, event), { timeout: 20_000 }).toBeDefined()
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  const validators = new Map<string, ReturnType<typeof ajv.compile>>()
  const validate = (name: string, payload: unknown) => {
    const file = join(docs, "schemas", `${name}.schema.json`)
    const known = validators.get(name) ?? ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object)
    validators.set(name, known)
    known(payload)
    expect(known.errors, `${name}: ${JSON.stringify(payload)}`).toBe(null)
  }
  for (const { subject, payload } of heard) {
    const [, , what, ...tokens] = subject.split(".")
    if (what === "thread") validate(tokens[2]!, JSON.parse(payload))
    else if (what === "live") validate("live", JSON.parse(payload))
    else if (what === "say" && !payload.includes("nowhere")) validate("say", JSON.parse(payload))
    else expect(["control", "say"]).toContain(what)
  }
  expect([...validators.keys()].toSorted()).toEqual(["intent", "live", "message", "say", "tool", "turn"])
  const { agent, workspace } = read("eve")
  expect(heard.map((h) => h.subject)).toContain(
    `${Subject.sayAs(workspace as never, agent as never)}.${(await api<{ rooms: ReadonlyArray<{ id: string; title: string }> }>("/rooms")).rooms.find((r) => r.title === "Shell")!.id}`,
  )
})
