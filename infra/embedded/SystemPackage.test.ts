import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { advice, bubblewrap, natsServer, systemOf, systemProgram } from "./SystemPackage.ts"

it("knows the system by its own name or by the one it is like", () => {
  expect(systemOf("linux", "ID=debian\n")).toBe("debian")
  expect(systemOf("linux", 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBe("debian")
  expect(systemOf("linux", "ID=alpine\n")).toBe("alpine")
  expect(systemOf("linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"\n')).toBe("fedora")
  expect(systemOf("linux", "ID=arch\n")).toBe("arch")
  expect(systemOf("linux", "ID=nixos\n")).toBe("other")
  expect(systemOf("darwin", "")).toBe("macos")
})

it("names the command for each system in one sentence", () => {
  expect(advice(natsServer, "debian", false)).toBe(
    'nats-server is missing: run "sudo apt-get install -y nats-server", or set NATS_URL to a NATS server with JetStream.',
  )
  expect(advice(bubblewrap, "alpine", true)).toContain('run "apk add bubblewrap"')
  expect(advice(bubblewrap, "fedora", false)).toContain('run "sudo dnf install -y bubblewrap"')
  expect(advice(natsServer, "arch", false)).toContain('run "sudo pacman -S nats-server"')
  expect(advice(natsServer, "macos", false)).toContain('run "brew install nats-server"')
  expect(advice(bubblewrap, "macos", false)).toContain("set SPRITES_TOKEN")
})

it("finds a program that is there without installing anything", async () => {
  expect(await Effect.runPromise(systemProgram({ program: "sh", packages: {}, otherwise: "" }))).toMatch(
    /\/sh$/,
  )
})
