import * as net from "node:net"
import { expect, it } from "vitest"
import { listen, serve } from "../testing/TestSprites.ts"

it("A proxied port carries much both ways, ends with its connection, and leads nowhere but into its sprite", async () => {
  const outside = net.createServer((socket) => socket.end("the host answers"))
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve))
  const server = await serve()
  const sprite = await server.client.createSprite("ported")
  const echo = sprite.spawn("perl", ["-MIO::Socket", "-e", '$|=1;$s=IO::Socket::INET->new(LocalAddr=>"127.0.0.1",LocalPort=>4244,Listen=>5);print "up\\n";while($c=$s->accept){while(sysread($c,$b,65536)){$o=0;while($o<length $b){$o+=syswrite($c,$b,length($b)-$o,$o)}}close $c}']) // prettier-ignore
  await listen(echo).says("up")

  const open = async (remote: number) => {
    const probe = net.createServer()
    const local = await new Promise<number>((resolve) =>
      probe.listen(0, "localhost", () => resolve((probe.address() as net.AddressInfo).port)),
    )
    await new Promise((resolve) => probe.close(resolve))
    const proxy = await sprite.proxyPort(local, remote)
    proxy.on("error", () => {})
    return { local, proxy }
  }
  const talk = (port: number, bytes: Buffer) =>
    new Promise<Buffer>((resolve) => {
      const heard: Array<Buffer> = []
      let size = 0
      const socket = net.connect(port, "localhost", () => socket.write(bytes))
      socket
        .on("data", (chunk: Buffer) => {
          heard.push(chunk)
          size += chunk.length
          if (size >= bytes.length) socket.end()
        })
        .on("error", () => {})
        .on("close", () => resolve(Buffer.concat(heard)))
    })

  const good = await open(4244)
  const bytes = Buffer.from(Uint8Array.from({ length: 8_000_000 }, (_, n) => (n * 31 + (n >> 8)) & 255))
  expect((await talk(good.local, bytes)).equals(bytes)).toBe(true)
  expect((await talk(good.local, Buffer.from("again"))).toString()).toBe("again")

  const nothing = await open(4245)
  expect((await talk(nothing.local, Buffer.from("x"))).length).toBe(0)
  const host = await open((outside.address() as net.AddressInfo).port)
  expect((await talk(host.local, Buffer.from("x"))).length).toBe(0)

  for (const { proxy } of [good, nothing, host]) proxy.close()
  echo.signal("KILL")
  await echo.wait()
  await server.stop()
  outside.close()
})
