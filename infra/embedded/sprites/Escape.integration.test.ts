/**
 * What a hostile program inside a sandbox tries, as its user and as root where it can make itself root: nothing of the
 * host may be reached, and the host stays well. The bombs are in Isolation and Quotas.
 */
import type { Sprite } from "@fly/sprites"
import { spawn } from "node:child_process"
import * as dgram from "node:dgram"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { filter } from "./Filter.ts"
import { bash, opened, serve, temporaryHome, type TestServer, remove } from "./testing/TestSprites.ts"

const canary = "canary-4711"

describe("A hostile program in a sandbox", () => {
  let server: TestServer
  let sprite: Sprite
  let other: Sprite
  let secrets: string
  beforeAll(async () => {
    process.env["TROUPE_CANARY"] = canary
    secrets = temporaryHome()
    fs.writeFileSync(join(secrets, "secret"), canary)
    fs.chmodSync(join(secrets, "secret"), 0o666)
    fs.chmodSync(secrets, 0o777)
    server = await serve()
    sprite = await server.client.createSprite("hostile")
    other = await server.client.createSprite("victim")
    // The widest policy there is.
    await sprite.updateNetworkPolicy({ rules: [{ domain: "*", action: "allow" }] })
    await bash(
      other,
      `echo ${canary} > ~/private; echo ${canary} > /tmp/private; chmod -R 777 ~ /tmp/private`,
    )
  })
  afterAll(async () => {
    delete process.env["TROUPE_CANARY"]
    await server.stop()
    remove(secrets)
  })

  /** Each script as the sandbox's user, and as root of a namespace of its own, if one can be had. */
  const inside = async (script: string) => {
    const plain = await bash(sprite, script)
    const asRoot = await sprite
      .execFile("unshare", ["-Urmpf", "--mount-proc", "bash", "-c", script])
      .catch((error: { stdout: string; stderr: string }) => error)
    return `${plain.stdout}${plain.stderr}${String(asRoot.stdout)}${String(asRoot.stderr)}`
  }
  const addresses = () =>
    Object.values(os.networkInterfaces()).flatMap((of) => (of ?? []).map(({ address }) => address))
  const postgres = () => new URL(inject("postgresUrl"))
  const nats = () => new URL(inject("natsUrl"))

  // The words themselves must not be in the script that looks for them, nor in the arguments of what it runs.
  const looked = `'[${canary.slice(0, 1)}]${canary.slice(1)}'`

  it("finds no secret in any environment, command line, file or memory it can read", async () => {
    const found = await inside(
      `for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/maps; do cat $f 2>/dev/null; done | tr '\\0' '\\n' | grep -a ${looked};
       grep -rsa --exclude-dir=proc --exclude-dir=usr ${looked} / 2>/dev/null | grep -v "^/home/sprite/.bash";
       for d in / /proc/1/root /proc/1/cwd /proc/self/root/..; do cat $d${secrets}/secret 2>/dev/null; ls $d/work $d/root 2>/dev/null; done;
       cat /proc/kcore /proc/kmsg /dev/mem /dev/kmsg /proc/1/mem 2>/dev/null | head -c 100 | grep -a . ; true`,
    )
    expect(found).not.toContain(canary)
    expect(found).not.toContain(server.token)
    expect(found.replace(/unshare: .*\n/g, "")).toBe("")
  })

  it("cannot make itself root, nor gain any right", async () => {
    const suid =
      "find / -xdev -perm -4000 -type f 2>/dev/null | while read -r f; do timeout 2 $f -c 'id -u' </dev/null 2>/dev/null; timeout 2 $f id -u </dev/null 2>/dev/null; done | grep -x 0"
    expect((await bash(sprite, suid)).stdout).toBe("")
    for (const attempt of [
      "unshare -Ur id -u",
      "unshare -n true",
      "unshare -m true",
      "nsenter -t 1 -a true",
      "nsenter -t 1 -n true",
      "chroot / true",
      "setpriv --reuid 0 true",
      "mknod ~/disk b 8 0",
      'perl -e \'exit(syscall(165, "none", "/tmp", "tmpfs", 0, 0) == 0 ? 0 : 1)\'',
      "cp /bin/sh ~/sh && chmod 4755 ~/sh && [ $(~/sh -pc 'id -u') = 0 ]",
    ]) {
      expect((await bash(sprite, attempt)).code, attempt).not.toBe(0)
    }
  })

  it.runIf(filter(process.arch) !== undefined)("is refused the system calls that lead out", async () => {
    const numbers = process.arch === "x64" ? { unshare: 272, io_uring: 425, bpf: 321, keyctl: 250, clone3: 435 } : { unshare: 97, io_uring: 425, bpf: 280, keyctl: 219, clone3: 435 } // prettier-ignore
    const refused = async (call: string) => {
      const { stdout } = await bash(sprite, `perl -e 'syscall(${call}); print $!+0'`)
      return Number(stdout)
    }
    expect(await refused(`${numbers.unshare}, 0x10000000`)).toBe(1)
    expect(await refused(`${numbers.io_uring}, 1, 0`)).toBe(1)
    expect(await refused(`${numbers.bpf}, 0, 0, 0`)).toBe(1)
    expect(await refused(`${numbers.keyctl}, 0, 0, 0`)).toBe(1)
    expect(await refused(`${numbers.clone3}, 0, 0`)).toBe(38)
    // Raw packets, the kernel's ciphers, and the road from a virtual machine to its host.
    for (const family of [17, 38, 40]) {
      const { stdout } = await bash(sprite, `perl -e 'print socket($s, ${family}, 1, 0) ? "open" : $!+0'`)
      expect(stdout, `family ${family}`).toBe("97")
    }
    expect((await bash(sprite, "perl -e 'print socket($s, 2, 3, 1) ? 1 : 0'")).stdout).toBe("0")
  })

  it("reaches neither NATS, nor Postgres, nor the sandbox server, by any address of this machine", async () => {
    const ports = [postgres().port, nats().port, new URL(server.url).port]
    for (const { hostname, port } of [postgres(), nats()]) {
      await new Promise((resolve) => net.connect(Number(port), hostname, () => resolve(undefined)))
    }
    const tries = [
      ...addresses().filter((address) => !address.includes(":")),
      "localhost",
      "host.docker.internal",
    ]
      .flatMap((host) => ports.map((port) => `${host}/${port}`))
      .map((target) => `timeout 2 bash -c 'exec 3<>/dev/tcp/${target}' 2>/dev/null && echo reached ${target}`)
    expect((await inside(`${tries.join("\n")}\ntrue`)).match(/^reached.*$/gm)).toBeNull()
    const proxied = [...addresses(), "localhost"].flatMap((host) => {
      const name = host.includes(":") ? `[${host}]` : host
      return ports.map(
        (port) =>
          `(exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT ${name}:${port} HTTP/1.1\\r\\n\\r\\n' >&3; head -1 <&3) 2>/dev/null`,
      )
    })
    const answers = (await bash(sprite, proxied.join("\n"))).stdout.trim().split("\n")
    expect(answers).toHaveLength(proxied.length)
    expect(answers.filter((answer) => !/^HTTP\/1.1 (400|403) /.test(answer))).toEqual([])
  })

  it("reaches no socket of the host, by name or by abstract name", async () => {
    const path = join(secrets, "host.sock")
    const host = net.createServer((socket) => socket.end(canary))
    const abstract = net.createServer((socket) => socket.end(canary))
    await Promise.all([
      new Promise((resolve) => host.listen(path, () => resolve(undefined))),
      new Promise((resolve) => abstract.listen("\0troupe-escape", () => resolve(undefined))),
    ])
    fs.chmodSync(path, 0o777)
    const dial = (address: string) =>
      `perl -MSocket -e 'socket($s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un(${address})) and print <$s>' 2>&1`
    const found = await inside(
      [
        dial(`"${path}"`),
        dial('"\\0troupe-escape"'),
        dial('"/run/sockets/agent"'),
        dial('"/run/docker.sock"'),
        dial('"/var/run/postgresql/.s.PGSQL.5432"'),
        dial('"/run/dbus/system_bus_socket"'),
        "find / -xdev -type s 2>/dev/null; cut -c54- /proc/net/unix | grep / | grep -v /run/sockets/agent; true",
      ].join("\n"),
    )
    expect(found).not.toContain(canary)
    expect(found.replace(/unshare: .*\n/g, "").trim()).toBe("")
    host.close()
    abstract.close()
  })

  it("sends nothing out: no packet to a raw address, no name lookup, no metadata, in no protocol", async () => {
    const udp = dgram.createSocket("udp4").bind(0, "0.0.0.0")
    let heard = 0
    udp.on("message", () => heard++)
    await new Promise((resolve) => udp.once("listening", resolve))
    const own = addresses().filter((address) => !address.includes(":"))
    const targets = ["1.1.1.1/53", "8.8.8.8/53", "169.254.169.254/80", "100.100.100.200/80", "10.0.0.1/22", ...own.map((address) => `${address}/${udp.address().port}`)] // prettier-ignore
    const tries = targets.flatMap((target) =>
      ["tcp", "udp"].map(
        (kind) =>
          `(timeout 2 bash -c 'echo x > /dev/${kind}/${target}' && echo sent ${kind} ${target}) 2>/dev/null`,
      ),
    )
    const script = `${tries.join("\n")}
      getent hosts example.com && echo resolved
      ip link add x type dummy 2>/dev/null && echo linked
      ip addr add 10.9.9.9/24 dev lo 2>/dev/null && echo addressed
      cat /proc/net/route | tail -n +2; cat /proc/net/ipv6_route | grep -v ' lo$'; cut -d: -f1 -s /proc/net/dev | grep -v lo; true`
    const said = (await inside(script)).replace(/unshare: .*\n/g, "").trim()
    // Its own loopback takes what is sent to it: that is no way out.
    const out = said.split("\n").filter((line) => line !== "" && !line.startsWith("sent udp 127.0.0.1/"))
    expect(out.filter((line) => !/^ *face|^Inter/.test(line))).toEqual([])
    expect(heard).toBe(0)
    udp.close()
  })

  it("does not touch another sandbox: files, processes, ports or the time it gets", async () => {
    const session = other.spawn("bash", ["-c", "echo up; exec sleep 987630"])
    await opened(session)
    const found = await inside(
      `cat /home/*/private /tmp/private /proc/[0-9]*/root/home/sprite/private 2>/dev/null; pgrep -f '[9]87630'; ls ${server.home} 2>/dev/null; true`,
    )
    expect(found).not.toContain(canary)
    expect(found.replace(/unshare: .*\n/g, "")).toBe("")
    expect((await bash(other, "cat ~/private")).stdout).toBe(`${canary}\n`)
    session.signal("KILL")
    await session.wait()
  })

  it("signals nobody but itself", async () => {
    const bystander = spawn("sleep", ["987631"])
    const pids = [process.pid, process.ppid, bystander.pid ?? 0, 1]
    await inside(
      `for p in ${pids.join(" ")} -1; do kill -9 -- $p 2>/dev/null; kill -STOP -- $p 2>/dev/null; done; true`,
    )
    expect(bystander.exitCode).toBeNull()
    expect(fs.readFileSync(`/proc/${bystander.pid}/stat`, "utf8")).toMatch(/\) S /)
    bystander.kill("SIGKILL")
    expect((await bash(other, "echo well")).stdout).toBe("well\n")
    expect((await bash(sprite, "echo well")).stdout).toBe("well\n")
  })

  it("cannot change what others or the host rely on", async () => {
    const name = os.hostname()
    const tried = [
      "mount --bind ~ /usr", "mount -o remount,rw /", "umount -l /proc", "pivot_root ~ ~", "ln -sf ~/x /etc/passwd",
      "echo x > /proc/sys/kernel/core_pattern", "echo b > /proc/sysrq-trigger", "echo 1 > /proc/sys/vm/drop_caches",
      "echo -1000 > /proc/self/oom_score_adj", "renice -n -20 $$", "chrt -f 99 true", "hostname owned",
      "date -s @1", "swapon /dev/zero", "rm -rf --one-file-system /usr/bin /etc /lib",
    ] // prettier-ignore
    for (const attempt of tried) {
      await inside(`${attempt} 2>/dev/null; true`)
      expect((await bash(sprite, attempt)).code, attempt).not.toBe(0)
    }
    expect(os.hostname()).toBe(name)
    expect(fs.existsSync("/usr/bin/env")).toBe(true)
    expect(Math.abs(Date.now() - fs.statSync(server.home).ctimeMs)).toBeLessThan(600_000)
    expect(
      (await bash(other, "ls /usr/bin/env && mount | grep -c tmpfs >/dev/null; echo ok")).stdout,
    ).toContain("ok")
  })
})
