import * as os from "node:os"
import { expect, it } from "vitest"
import { isPublic } from "./PublicAddress.ts"

it("public addresses are public", () => {
  for (const address of ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]) {
    expect(isPublic(address), address).toBe(true)
  }
})

it("loopback, private, metadata and special addresses are not, however they are written", () => {
  for (const address of [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "169.254.169.254", "169.254.170.2", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "fe80::1",
    "fe80::1%lo", "fd00::1", "fd00:ec2::254", "fc00::1", "ff02::1", "2002:7f00:1::", "2001:db8::1", "2001::1", "100::1",
    "localhost", "2130706433", "0x7f.1", "",
  ]) expect(isPublic(address), address).toBe(false) // prettier-ignore
})

it("no address of this machine is public, whatever it is", () => {
  for (const { address } of Object.values(os.networkInterfaces()).flatMap((of) => of ?? [])) {
    expect(isPublic(address), address).toBe(false)
  }
})
