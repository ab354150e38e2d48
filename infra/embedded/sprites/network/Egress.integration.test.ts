import type { Sprite } from "@fly/sprites"
import * as http from "node:http"
import * as net from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { bash, listen, serve, type TestServer, until } from "../testing/TestSprites.ts"

/** The world outside: names with the addresses we say, and one host that answers wherever a connection goes. */
const names = new Map<string, ReadonlyArray<string>>()
const dialled: Array<string> = []
const large = 20_000_000

describe("The way out of a sandbox", () => {
  let server: TestServer
  let sprite: Sprite
  let world: http.Server
  let asked: Array<{ host: string | undefined; proxy: unknown; url: string | undefined }> = []
  beforeAll(async () => {
    world = http.createServer((request, response) => {
      const { host, "proxy-authorization": proxy } = request.headers
      asked.push({ host, proxy, url: request.url })
      if (request.url === "/large") return void response.end(Buffer.alloc(large, "x"))
      response.end(`hello from ${host}\n`)
    })
    await new Promise<void>((resolve) => world.listen(0, "127.0.0.1", resolve))
    const { port } = world.address() as net.AddressInfo
    server = await serve({
      outside: {
        lookup: async (host) => names.get(host) ?? [],
        connect: (address, wanted) => {
          dialled.push(`${address}:${wanted}`)
          return net.connect(port, "127.0.0.1")
        },
      },
    })
    sprite = await server.client.createSprite("inside")
  })
  afterAll(async () => {
    await server.stop()
    world.close()
  })
  beforeEach(() => {
    names.clear()
    names.set("good.test", ["93.184.216.34"])
    dialled.length = 0
    asked = []
  })

  const allow = (...domains: ReadonlyArray<string>) =>
    sprite.updateNetworkPolicy({ rules: domains.map((domain) => ({ domain, action: "allow" as const })) })
  /** Speaks HTTP to the proxy as programs do, with what every sandbox has. */
  const ask = async (target: string, first = `GET ${target} HTTP/1.1\\r\\nHost: lie.test\\r\\n`) => {
    const script = `exec 3<>/dev/tcp/127.0.0.1/\${HTTP_PROXY##*:} && printf '${first}Connection: close\\r\\nProxy-Authorization: Basic x\\r\\n\\r\\n' >&3 && cat <&3`
    return (await bash(sprite, script)).stdout
  }
  const tunnel = (target: string) =>
    ask("", `CONNECT ${target} HTTP/1.1\\r\\n\\r\\nGET /in HTTP/1.1\\r\\nHost: ${target}\\r\\n`)

  it("is closed until a rule opens it", async () => {
    expect((await bash(sprite, "exec 3<>/dev/tcp/127.0.0.1/3128")).code).not.toBe(0)
    await allow("other.test")
    expect(await ask("http://good.test/")).toMatch(/^HTTP\/1.1 403 .*does not allow good.test/s)
    expect(await tunnel("good.test:443")).toMatch(
      /^HTTP\/1.1 403 The network policy.*does not allow good.test/,
    )
    expect(dialled).toEqual([])
  })

  it("leads to an allowed host by its resolved address, under its own name, plain or tunnelled", async () => {
    await allow("good.test", "*.wild.test")
    expect(await ask("http://good.test/path?q")).toContain("hello from good.test\n")
    expect(asked).toEqual([{ host: "good.test", proxy: undefined, url: "/path?q" }])
    expect(await tunnel("GOOD.test.:443")).toContain("hello from GOOD.test.:443")
    names.set("a.wild.test", ["2606:4700::1111"])
    expect(await ask("http://a.wild.test:8080/")).toContain("hello from a.wild.test:8080")
    expect(dialled).toEqual(["93.184.216.34:80", "93.184.216.34:443", "2606:4700::1111:8080"])
  })

  it("loses nothing of what is large", async () => {
    await allow("good.test")
    const count = async (first: string) =>
      (
        await bash(
          sprite,
          `exec 3<>/dev/tcp/127.0.0.1/3128 && printf '${first}Connection: close\\r\\n\\r\\n' >&3 && tr -cd x <&3 | wc -c`,
        )
      ).stdout
    expect(await count("GET http://good.test/large HTTP/1.1\\r\\nHost: good.test\\r\\n")).toBe(`${large}\n`)
    const tunnelled =
      "CONNECT good.test:443 HTTP/1.1\\r\\n\\r\\nGET /large HTTP/1.1\\r\\nHost: good.test\\r\\n"
    expect(await count(tunnelled)).toBe(`${large}\n`)
  })

  it("never leads to this machine, a private network or metadata, whatever the policy and the name servers say", async () => {
    await allow("*", "good.test", "127.0.0.1", "169.254.169.254", "10.0.0.1")
    for (const address of [
      "127.0.0.1",
      "10.1.1.1",
      "169.254.169.254",
      "::1",
      "::ffff:10.0.0.1",
      "fd00:ec2::254",
      "0.0.0.0",
    ]) {
      names.set("good.test", [address])
      expect(await ask("http://good.test/"), address).toMatch(/^HTTP\/1.1 403 .*not on the public internet/s)
      // One bad address among good ones is enough.
      names.set("good.test", ["93.184.216.34", address])
      expect(await tunnel("good.test:443"), address).toMatch(/^HTTP\/1.1 403/)
    }
    for (const target of [
      "127.0.0.1",
      "169.254.169.254",
      "10.0.0.1",
      "[::1]",
      "localhost",
      "127.1",
      "0x7f000001",
      "2130706433",
    ]) {
      expect(await tunnel(`${target}:5432`), target).toMatch(/^HTTP\/1.1 (403|400|502)/)
      expect(await ask(`http://${target}:4222/`), target).toMatch(/^HTTP\/1.1 (403|400|502)/)
    }
    expect(dialled).toEqual([])
  })

  it("cuts what is connected as soon as the policy no longer allows it", async () => {
    await allow("good.test")
    const command = sprite.spawn("bash", [
      "-c",
      "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT good.test:443 HTTP/1.1\\r\\n\\r\\n' >&3; read -r line <&3; echo \"$line\"; cat <&3 >/dev/null; echo cut",
    ])
    const heard = listen(command)
    await heard.says("200 Connected")
    await allow("other.test")
    await heard.says("cut")
    await command.wait()
  })

  it("is not shared: what one sandbox may reach, another may not, and neither reaches the other", async () => {
    await allow("good.test")
    const other = await server.client.createSprite("other")
    const serving = sprite.spawn("perl", ["-MIO::Socket", "-e", "$s=IO::Socket::INET->new(LocalPort=>4242,Listen=>5);print qq(up\\n);$|=1;sleep 60"]) // prettier-ignore
    serving.on("error", () => {})
    await until("the port", async () => (await bash(sprite, "exec 3<>/dev/tcp/127.0.0.1/4242")).code === 0)
    expect((await bash(other, "exec 3<>/dev/tcp/127.0.0.1/4242")).code).not.toBe(0)
    expect((await bash(other, "exec 3<>/dev/tcp/127.0.0.1/3128")).code).not.toBe(0)
    serving.signal("KILL")
    await serving.wait()
  })
})
