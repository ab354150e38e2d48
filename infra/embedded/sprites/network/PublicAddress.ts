/**
 * Which addresses a sandbox may ever reach: public unicast ones. Everything that the IANA special-purpose registries set
 * apart (loopback, private, shared, link-local and with it the clouds' metadata, documentation, multicast, reserved), every
 * way to write an IPv4 address inside an IPv6 one, and every address of this machine is refused.
 */
import * as net from "node:net"
import * as os from "node:os"

const special = new net.BlockList()
for (const [address, prefix] of [
  ["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8], ["169.254.0.0", 16], ["172.16.0.0", 12],
  ["192.0.0.0", 24], ["192.0.2.0", 24], ["192.31.196.0", 24], ["192.52.193.0", 24], ["192.88.99.0", 24],
  ["192.168.0.0", 16], ["192.175.48.0", 24], ["198.18.0.0", 15], ["198.51.100.0", 24], ["203.0.113.0", 24],
  ["224.0.0.0", 4], ["240.0.0.0", 4],
] as const) special.addSubnet(address, prefix, "ipv4") // prettier-ignore

/** Of IPv6 only what is given out for use in the world: with that, mapped, translated and local addresses are out. */
const world = new net.BlockList()
world.addSubnet("2000::", 3, "ipv6")
for (const [address, prefix] of [
  ["2001::", 23], ["2001:db8::", 32], ["2002::", 16], ["2620:4f:8000::", 48], ["3fff::", 20],
] as const) special.addSubnet(address, prefix, "ipv6") // prettier-ignore

export const isPublic = (address: string): boolean => {
  const family = net.isIP(address)
  if (family === 0 || ofThisMachine().has(address)) return false
  if (family === 4) return !special.check(address, "ipv4")
  return !address.includes("%") && world.check(address, "ipv6") && !special.check(address, "ipv6")
}

const ofThisMachine = (): ReadonlySet<string> =>
  new Set(Object.values(os.networkInterfaces()).flatMap((of) => (of ?? []).map((address) => address.address)))
