import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import { peersFor, refusePeer } from "./Peers.ts"

const refused = (trusted: string, address: string | undefined) =>
  refusePeer(Result.getOrThrow(peersFor("0.0.0.0", trusted)), address)

describe("Peers", () => {
  test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("listens on %s without a proxy", (host) => {
    expect(Result.isSuccess(peersFor(host, null))).toBe(true)
  })

  test.each(["0.0.0.0", "::", "192.168.1.2", "troupe.example.com", "127.evil.example", ""])(
    "refuses to listen on %j without a proxy",
    (host) => {
      const result = peersFor(host, null)
      expect(Result.isFailure(result) && result.failure.message).toContain("set TRUSTED_PROXY")
    },
  )

  test("lets in the named proxies and this machine, in both spellings, and nobody else", () => {
    const trusted = "10.0.0.0/8, fd00::/8 192.168.1.7"
    for (const address of ["10.9.8.7", "::ffff:10.9.8.7", "fd00::1", "192.168.1.7", "127.0.0.1", "::1"]) {
      expect([address, refused(trusted, address)]).toEqual([address, false])
    }
    for (const address of ["11.0.0.1", "::ffff:11.0.0.1", "fe80::1", "192.168.1.8", undefined, ""]) {
      expect([address, refused(trusted, address)]).toEqual([address, true])
    }
  })

  test.each(["everyone", "10.0.0.0/33", "10.0.0.0/x", "fd00::/129"])(
    "refuses the CIDR %j with a sentence",
    (entry) => {
      const result = peersFor("0.0.0.0", entry)
      expect(Result.isFailure(result) && result.failure.message).toContain("write CIDRs such as")
    },
  )
})
