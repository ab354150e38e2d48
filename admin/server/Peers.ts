/** Who may connect: this machine alone, or also the proxies named in TRUSTED_PROXY. */
import * as Result from "effect/Result"
import { BlockList, isIP } from "node:net"
import { ListenError } from "./ListenError.ts"

/** `null`: not listening beyond loopback, so nobody else can connect. */
export type Peers = BlockList | null

/** Refuses to listen beyond loopback unless the proxies in front are named. */
export const peersFor = (host: string, trustedProxy: string | null): Result.Result<Peers, ListenError> => {
  if (trustedProxy === null) {
    return isLoopback(host)
      ? Result.succeed(null)
      : refuse(
          `HOST=${host} would open the page to the network; leave HOST at 127.0.0.1, or set TRUSTED_PROXY to the addresses (CIDR) of the proxy in front of it.`,
        )
  }
  const peers = new BlockList()
  peers.addSubnet("127.0.0.0", 8, "ipv4")
  peers.addAddress("::1", "ipv6")
  for (const entry of trustedProxy.split(/[\s,]+/).filter((part) => part !== "")) {
    const [address = "", bits] = entry.split("/")
    const family = isIP(address)
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits)
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) {
      return refuse(`TRUSTED_PROXY has "${entry}", which is no address; write CIDRs such as 10.0.0.0/8.`)
    }
    peers.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4")
  }
  return Result.succeed(peers)
}

export const refusePeer = (peers: Peers, address: string | undefined): boolean => {
  if (peers === null) return false
  const plain = address?.replace(/^::ffff:(?=\d+\.)/, "") ?? ""
  const family = isIP(plain)
  return family === 0 || !peers.check(plain, family === 6 ? "ipv6" : "ipv4")
}

const refuse = (message: string) => Result.fail(new ListenError({ message }))

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host)
