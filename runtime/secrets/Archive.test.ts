import * as fc from "fast-check"
import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { openStream, sealStream, type ArchiveKey } from "./Archive.ts"

const master: ArchiveKey = { kind: "master", hex: randomBytes(32).toString("hex") }

async function* inParts(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const all = async (stream: AsyncIterable<Uint8Array>) => {
  const parts: Array<Uint8Array> = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}
const sealed = (bytes: Uint8Array, key: ArchiveKey = master, size = 7_000) =>
  all(sealStream(inParts(bytes, size), key))
const opened = (bytes: Uint8Array, key: ArchiveKey = master, size = 9_000) =>
  all(openStream(inParts(bytes, size), () => key))

describe("a sealed stream", () => {
  it("opens to what went in, whatever its length and the pieces it travels in", async () => {
    const lengths = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...lengths),
        fc.integer({ min: 500, max: 100_000 }),
        fc.integer({ min: 500, max: 100_000 }),
        async (length, into, out) => {
          const bytes = randomBytes(length)
          expect((await opened(await sealed(bytes, master, into), master, out)).equals(bytes)).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })

  it("does not open when it was changed, cut off, or put in another order", async () => {
    const file = await sealed(randomBytes(200_000))
    const head = file.indexOf(10) + 1
    const piece = 65_536 + 16
    const second = file.subarray(head + piece, head + 2 * piece)
    const broken = [
      Buffer.concat([file.subarray(0, -1), Buffer.from([file.at(-1)! ^ 1])]),
      file.subarray(0, head + piece),
      file.subarray(0, head + 2 * piece),
      file.subarray(0, -5),
      Buffer.concat([file.subarray(0, head), second, file.subarray(head + piece)]),
      Buffer.concat([file.subarray(0, head + piece), file.subarray(head)]),
    ]
    for (const bytes of broken) await expect(opened(bytes)).rejects.toThrow(/changed|cut off/)
    await expect(opened(Buffer.from("PK\u0003\u0004"))).rejects.toThrow("no backup of Troupe's")
  })

  it("opens with its passphrase only", async () => {
    const key: ArchiveKey = { kind: "passphrase", text: "correct horse" }
    const file = await sealed(Buffer.from("hello"), key)
    expect((await opened(file, key)).toString()).toBe("hello")
    await expect(opened(file, { kind: "passphrase", text: "wrong horse" })).rejects.toThrow(
      "does not open with this passphrase",
    )
    await expect(all(openStream(inParts(file, 50), () => "Say the passphrase."))).rejects.toThrow("Say the")
  })
})
