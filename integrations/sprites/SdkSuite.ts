/**
 * Everything that @fly/sprites offers in public, as tests against a server that speaks the Sprites API. This repository
 * runs it against the local server; README.md says how to run it against Fly. It makes machines whose names start with
 * `troupe-sdk-` and deletes them. The last test fails for every public method that no other test has called; only
 * `SpritesClient.createToken` is left out, because the SDK sends it to one fixed public address.
 */
import {
  CheckpointStream,
  ControlConnection,
  type FilesystemWatchEvent,
  OpConn,
  type PortWatchEvent,
  PortWatcher,
  ProxyManager,
  ProxySession,
  ServiceLogStream,
  SessionKillStream,
  Sprite,
  SpriteCommand,
  SpriteFilesystem,
  SpritesClient,
} from "@fly/sprites"
import * as net from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

export interface Target {
  readonly baseUrl: string
  readonly token: string
  readonly close: () => Promise<void>
}

const within = 120_000
const classes = { SpritesClient, Sprite, SpriteFilesystem, SpriteCommand }

export const sdkSuite = (name: string, open: () => Promise<Target>): void => {
  describe(`@fly/sprites: ${name}`, { timeout: within }, () => {
    const prefix = `troupe-sdk-${process.pid}-`
    const called = new Set<string>()
    const restore: Array<() => void> = []
    let target: Target
    let client: SpritesClient
    let sprite: Sprite
    let files: SpriteFilesystem

    beforeAll(async () => {
      for (const [className, { prototype }] of Object.entries(classes)) {
        for (const method of methodsOf(prototype)) {
          const original = prototype[method as never] as (...args: Array<unknown>) => unknown
          const recorded = function (this: unknown, ...args: Array<unknown>) {
            called.add(`${className}.${method}`)
            return original.apply(this, args)
          }
          Object.assign(prototype, { [method]: recorded })
          restore.push(() => Object.assign(prototype, { [method]: original }))
        }
      }
      target = await open()
      client = new SpritesClient(target.token, { baseURL: target.baseUrl })
      for (const left of await client.listAllSprites("troupe-sdk-")) await left.delete()
      sprite = await client.createSprite(`${prefix}a`, {})
      files = sprite.filesystem("/home/sprite")
    }, within)
    afterAll(async () => {
      for (const left of await client.listAllSprites(prefix)) await left.destroy()
      for (const undo of restore) undo()
      await target.close()
    }, within)

    const bash = (script: string) => sprite.execFile("bash", ["-c", script])

    describe("machines", () => {
      it("are made, found, listed, changed, checked and deleted", async () => {
        const made = await client.createSprite(`${prefix}b`, { labels: ["one"] })
        expect((await client.getSprite(made.name)).id).toBe(made.id)
        expect((await client.listSprites({ prefix, maxResults: 1 })).hasMore).toBe(true)
        expect((await client.listAllSprites(prefix)).map((each) => each.name)).toEqual([
          `${prefix}a`,
          `${prefix}b`,
        ])
        expect((await client.updateSprite(made.name, { labels: ["two"] })).labels).toEqual(["two"])
        expect((await made.update({ labels: [] })).labels).toEqual([])
        await made.updateURLSettings({ auth: "sprite" })
        await client.updateURLSettings(made.name, { auth: "sprite" })
        await made.upgrade()
        await client.upgradeSprite(made.name)
        expect((await made.check()).status).toBe("ok")
        expect((await client.checkSprite(made.name)).spriteName).toBe(made.name)
        expect((await made.restart()).spriteName).toBe(made.name)
        expect((await client.restartSprite(made.name)).spriteName).toBe(made.name)
        await client.deleteSprite(made.name)
        await (await client.createSprite(`${prefix}c`)).delete()
        await (await client.createSprite(`${prefix}d`)).destroy()
        await expect(client.getSprite(made.name)).rejects.toMatchObject({ statusCode: 404 })
      })

      it("are watched", async () => {
        const stream = await client.watchSprites({ prefix })
        const seen: Array<string> = []
        const watching = (async () => {
          for await (const event of stream) {
            if (event.name !== undefined) seen.push(`${event.name} ${event.status}`)
            expect(event.organization.running).toBeTypeOf("number")
            if (seen.includes(`${sprite.name} running`)) return
          }
        })()
        const command = spawned("sleep", "30")
        await watching
        command.kill("SIGKILL")
        await command.wait()
      })

      it("refuse another token and another name", async () => {
        const stranger = new SpritesClient("no/such/token", { baseURL: target.baseUrl })
        await expect(stranger.getSprite(sprite.name)).rejects.toMatchObject({ statusCode: 401 })
        await expect(client.sprite(`${prefix}none`).check()).rejects.toMatchObject({ statusCode: 404 })
      })
    })

    const spawned = (file: string, ...args: Array<string>): SpriteCommand => {
      const command = sprite.spawn(file, args)
      command.on("error", () => {})
      return command
    }

    describe("commands", () => {
      it("run with streams, input, environment, directory and exit code", async () => {
        expect((await sprite.exec("echo one two")).stdout).toBe("one two\n")
        const told = await sprite.execFile("bash", ["-c", "echo $A-$PWD"], { cwd: "/tmp", env: { A: "b" } })
        expect(told.stdout).toBe("b-/tmp\n")
        await expect(bash("echo no >&2; exit 3")).rejects.toMatchObject({ exitCode: 3, stderr: "no\n" })
        const cat = spawned("cat")
        const heard = text(cat)
        await opened(cat)
        cat.stdin.end("input")
        expect(await cat.wait()).toBe(0)
        expect(cat.exitCode()).toBe(0)
        expect(heard()).toBe("input")
      })

      it("run over plain HTTP", async () => {
        expect((await sprite.execFileHTTP("cat", [], { input: "typed" })).stdout).toBe("typed")
      })

      it("take signals", async () => {
        for (const end of [
          (command: SpriteCommand) => command.kill(),
          (command: SpriteCommand) => command.signal("SIGTERM"),
        ]) {
          const command = spawned("sleep", "60")
          await opened(command)
          end(command)
          expect(await command.wait()).toBe(143)
        }
      })

      it("on a terminal see its size, are detached from, found, attached to and killed", async () => {
        const session = sprite.createSession("bash", ["--norc"], { rows: 30, cols: 100 })
        session.on("error", () => {})
        const heard = text(session)
        await opened(session)
        session.stdin.write("stty size\n")
        await until(() => heard().includes("30 100"))
        session.resize(132, 50)
        session.stdin.write("until stty size | grep -q '50 132'; do :; done; echo resi''zed; kept=yes\n")
        await until(() => heard().includes("resized"))
        const [{ id } = { id: "" }] = await sprite.listSessions()
        const again = sprite.attachSession(id)
        again.on("error", () => {})
        const replayed = text(again)
        await opened(again)
        await until(() => replayed().includes("resized"))
        again.stdin.write("echo it-was-$kept\n")
        await until(() => replayed().includes("it-was-yes"))
        const lines: Array<string> = []
        const killing = await sprite.killSession(id, "SIGKILL", "5s")
        expect(killing).toBeInstanceOf(SessionKillStream)
        await killing.processAll((line) => void lines.push(line.type))
        expect(lines.at(-1)).toBe("complete")
        await Promise.all([session.wait(), again.wait()])
        expect(await sprite.listSessions()).toEqual([])
      })

      it("run over control connections", async () => {
        const controlled = new SpritesClient(target.token, {
          baseURL: target.baseUrl,
          controlMode: true,
        }).sprite(sprite.name)
        expect(controlled.useControlMode()).toBe(true)
        expect((await controlled.execFile("bash", ["-c", "echo x >> runs; wc -l < runs"])).stdout).toBe("1\n")
        expect(controlled.hasControlConnection()).toBe(true)
        const connection = await controlled.getControlConnection()
        expect(connection).toBeInstanceOf(ControlConnection)
        const operation = await connection.startOp("exec", {
          cmd: ["bash", "-c", "read a; echo got-$a; exit 7"],
          stdin: true,
        })
        expect(operation).toBeInstanceOf(OpConn)
        let said = ""
        operation.on("stdout", (bytes: Buffer) => (said += bytes.toString()))
        operation.write(Buffer.from("it\n"))
        expect(await operation.wait()).toBe(7)
        expect(said).toBe("got-it\n")
        const terminal = await connection.startOp("exec", {
          cmd: ["bash", "-c", "until stty size | grep '21 71'; do :; done; sleep 60"],
          tty: true,
          rows: 20,
          cols: 70,
        })
        let shown = ""
        terminal.on("stdout", (bytes: Buffer) => (shown += bytes.toString()))
        terminal.resize(71, 21)
        await until(() => shown.includes("21 71"))
        terminal.signal("INT")
        expect(await terminal.wait()).toBe(130)
        controlled.closeControlConnection()
        expect(controlled.hasControlConnection()).toBe(false)
      })
    })

    describe("files", () => {
      it("are written, read, appended, listed, moved, copied and removed", async () => {
        await files.writeFile("dir/a.txt", "one", { mode: 0o640 })
        await files.appendFile("dir/a.txt", " two")
        expect(await files.readFile("dir/a.txt", "utf8")).toBe("one two")
        await files.writeJSON("x.json", { a: 1 }, { spaces: 2 })
        expect(await files.readJSON("x.json")).toEqual({ a: 1 })
        await files.mkdir("made/deep", { recursive: true })
        await files.rename("x.json", "made/deep/y.json")
        await files.copyFile("made", "copy", { recursive: true })
        expect(await files.readdir("copy/deep")).toEqual(["y.json"])
        await files.chmod("dir/a.txt", 0o600)
        expect((await files.stat("dir/a.txt")).mode).toBe(0o600)
        await files.chown("dir/a.txt", { uid: "sprite", gid: "sprite" })
        await files.rm("copy", { recursive: true })
        expect(await files.exists("copy/deep/y.json")).toBe(false)
        await expect(files.readFile("none")).rejects.toMatchObject({ code: "ENOENT" })
      })

      it("are watched", async () => {
        await files.mkdir("watched/below", { recursive: true })
        const watcher = await files.watch("watched", { recursive: true })
        const seen: Array<string> = []
        const event = async (wanted: (event: FilesystemWatchEvent) => boolean) => {
          for (;;) {
            const next = (await watcher.next()) as FilesystemWatchEvent | null
            if (next === null) throw new Error(`the watch ended after ${seen.join(", ")}`)
            seen.push(`${next.type} ${next.event ?? ""} ${next.path ?? ""}`)
            if (wanted(next)) return next
          }
        }
        await event(({ type }) => type === "subscribed")
        await bash("echo x > watched/below/new")
        expect((await event(({ event }) => event === "create")).path).toBe("/home/sprite/watched/below/new")
        await bash("rm watched/below/new")
        await event(({ event, path }) => event === "remove" && path === "/home/sprite/watched/below/new")
        watcher.close()
        expect(watcher.isClosed()).toBe(true)
      })
    })

    describe("ports", () => {
      const serving = `perl -MIO::Socket -e '
        my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift, Listen => 5, ReuseAddr => 1) or die;
        while (my $c = $s->accept) { my $l = <$c>; print $c "heard $l"; close $c }'`

      it("are watched, and reached from outside", async () => {
        const watcher = await sprite.watchPorts()
        expect(watcher).toBeInstanceOf(PortWatcher)
        expect(((await watcher.next()) as PortWatchEvent).type).toBe("port_list")
        const server = spawned("bash", "-c", `${serving} 4321`)
        expect(await watcher.next()).toMatchObject({ type: "port_opened", port: 4321 })

        const [one, two] = [await freePort(), await freePort()]
        const proxy = await sprite.proxyPort(one, 4321)
        const proxies = await sprite.proxyPorts([{ localPort: two, remotePort: 4321 }])
        const manager = new ProxyManager()
        for (const session of [proxy, ...proxies]) {
          expect(session).toBeInstanceOf(ProxySession)
          session.on("error", () => {})
          manager.addSession(session)
        }
        expect(await conversation(one, "hello\n")).toBe("heard hello\n")
        expect(await conversation(two, "again\n")).toBe("heard again\n")
        manager.closeAll()

        server.kill("SIGKILL")
        await server.wait()
        expect(await watcher.next()).toMatchObject({ type: "port_closed", port: 4321 })
        watcher.close()
      })
    })

    describe("checkpoints", () => {
      it("are taken, listed and restored", async () => {
        await bash("echo before > state")
        const taking = await sprite.createCheckpoint("before the change")
        expect(taking).toBeInstanceOf(CheckpointStream)
        const lines: Array<string> = []
        await taking.processAll((line) => void lines.push(JSON.stringify(line)))
        expect(lines.at(-1)).toContain("complete")
        const [newest] = await sprite.listCheckpoints()
        const id = newest?.id ?? ""
        expect(lines.at(-1)).toContain(id)
        expect(newest?.comment).toBe("before the change")
        expect((await sprite.getCheckpoint(id)).createTime).toBeInstanceOf(Date)
        await bash("echo after > state; touch more")
        const restoring: Array<string> = []
        await (
          await sprite.restoreCheckpoint(id)
        ).processAll((line) => void restoring.push(JSON.stringify(line)))
        expect(restoring.at(-1)).toContain("complete")
        expect((await bash("cat state; ls more 2>&1 | wc -l; ls more || true")).stdout).toContain("before\n")
        expect(await files.exists("more")).toBe(false)
        await expect(sprite.getCheckpoint("v999")).rejects.toThrow()
        await expect(sprite.restoreCheckpoint("v999")).rejects.toThrow()
      })
    })

    describe("services", () => {
      it("are defined, started, watched, signalled, stopped and deleted", async () => {
        const script = "trap 'echo reload' HUP; echo up $NAME; while :; do sleep 0.1; done"
        const events = async (stream: ServiceLogStream) => {
          expect(stream).toBeInstanceOf(ServiceLogStream)
          const seen: Array<string> = []
          await stream.processAll((event) => void seen.push(`${event.type} ${event.data ?? ""}`.trim()))
          return seen
        }
        const config = { cmd: "bash", args: ["-c", script], env: { NAME: "me" }, dir: "/tmp", httpPort: 8080 }
        const created = await events(await sprite.createService("web", config, "1s"))
        expect(created).toEqual(expect.arrayContaining(["started", "stdout up me", "complete"]))
        expect((await sprite.listServices()).map(({ name }) => name)).toEqual(["web"])
        const running = await sprite.getService("web")
        expect(running).toMatchObject({ cmd: "bash", dir: "/tmp", httpPort: 8080, state: { status: "running" } })
        await sprite.signalService("web", "HUP")
        await until(async () =>
          (await events(await sprite.getServiceLogs("web", { lines: 100 }))).join().includes("reload"),
        )
        expect(await events(await sprite.restartService("web", "500ms"))).toContain("started")
        expect((await events(await sprite.stopService("web", "5s"))).at(-1)).toBe("complete")
        expect((await sprite.getService("web")).state?.status).toBe("stopped")
        await expect(sprite.stopService("web")).rejects.toThrow(/not running/)
        await expect(sprite.signalService("web", "HUP")).rejects.toThrow(/not running/)
        expect(await events(await sprite.startService("web", "500ms"))).toContain("started")
        await sprite.deleteService("web")
        await expect(sprite.getService("web")).rejects.toThrow(/not found/)
        await expect(sprite.startService("web")).rejects.toThrow(/not found/)
      }) // prettier-ignore
    })

    describe("policies", () => {
      it("are set, read and removed", async () => {
        await sprite.updateNetworkPolicy({ rules: [{ domain: "*.example.com", action: "allow" }] })
        expect((await sprite.getNetworkPolicy()).rules).toEqual([
          { domain: "*.example.com", action: "allow" },
        ])
        await sprite.updateNetworkPolicy({ rules: [] })
        await expect(
          sprite.updateNetworkPolicy({ rules: [{ domain: "", action: "allow" }] }),
        ).rejects.toThrow(/Invalid policy/)
        await sprite.updatePrivilegesPolicy({ profile: "minimal" })
        expect((await sprite.getPrivilegesPolicy()).profile).toBe("minimal")
        await sprite.deletePrivilegesPolicy()
        await sprite.updateResourcesPolicy({ memory: { limitMB: 256 } })
        expect((await sprite.getResourcesPolicy()).memory?.limitMB).toBe(256)
        await sprite.deleteResourcesPolicy()
      })
    })

    it("has no public method that this suite left out", () => {
      const all = Object.entries(classes).flatMap(([className, { prototype }]) =>
        methodsOf(prototype).map((method) => `${className}.${method}`),
      )
      expect(all.filter((method) => !called.has(method))).toEqual([])
    })
  })
}

const methodsOf = (prototype: object): ReadonlyArray<string> =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([method, { value }]) => method !== "constructor" && typeof value === "function")
    .map(([method]) => method)

const opened = (command: SpriteCommand): Promise<void> =>
  new Promise((resolve, reject) => command.on("spawn", resolve).on("error", reject))

const text = (command: SpriteCommand): (() => string) => {
  let heard = ""
  command.stdout.on("data", (bytes: Buffer) => (heard += bytes.toString()))
  return () => heard
}

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("Waited 30 s in vain.")
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "localhost", () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

const conversation = (port: number, words: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = ""
    net
      .connect(port, "localhost", function (this: net.Socket) {
        this.write(words)
      })
      .on("data", (bytes: Buffer) => (heard += bytes.toString()))
      .on("error", reject)
      .on("close", () => resolve(heard))
  })
