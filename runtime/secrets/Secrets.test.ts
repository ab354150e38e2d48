import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { randomBytes } from "node:crypto"
import { masterKey, open, type Place, rewrap, seal } from "./Envelope.ts"
import { Redaction } from "./Redaction.ts"
import { lastFour, Secrets } from "./Secrets.ts"

const key = () => {
  const made = masterKey(randomBytes(32).toString("hex"))
  if (Result.isFailure(made)) throw made.failure
  return made.success
}
const place: Place = { table: "integration", row: "01h", column: "token" }
const failure = (result: Result.Result<unknown, { readonly reason: string }>) =>
  Result.isFailure(result) ? result.failure.reason : "opened"

describe("a sealed secret", () => {
  it("opens to what was sealed, for every text", () => {
    const master = key()
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
        (text) => {
          expect(open(master, place, seal(master, place, text))).toEqual(Result.succeed(text))
        },
      ),
    )
  })

  it("shows nothing of the secret and is never the same twice", () => {
    const master = key()
    const seals = Array.from({ length: 200 }, () => seal(master, place, "the same secret"))
    expect(new Set(seals.map(({ data }) => data)).size).toBe(200)
    expect(new Set(seals.map((sealed) => sealed.key)).size).toBe(200)
    expect(JSON.stringify(seals)).not.toContain("the same")
  })

  it("does not open when any byte was flipped", () => {
    const master = key()
    const sealed = seal(master, place, "hello")
    for (const field of ["key", "data"] as const) {
      const bytes = Buffer.from(sealed[field], "base64")
      for (let i = 0; i < bytes.length; i++) {
        const changed = Buffer.from(bytes)
        changed[i]! ^= 1
        expect(failure(open(master, place, { ...sealed, [field]: changed.toString("base64") }))).toBe(
          "broken",
        )
      }
      expect(failure(open(master, place, { ...sealed, [field]: "" }))).toBe("broken")
    }
  })

  it("does not open in another table, row or column, nor with parts of another secret", () => {
    const master = key()
    const sealed = seal(master, place, "hello")
    for (const moved of [
      { ...place, table: "agent" },
      { ...place, row: "01j" },
      { ...place, column: "key" },
      { table: "integration01h", row: "", column: "token" },
    ]) {
      expect(failure(open(master, moved, sealed))).toBe("broken")
    }
    const other = seal(master, place, "other")
    expect(failure(open(master, place, { ...sealed, data: other.data }))).toBe("broken")
    expect(failure(open(key(), place, sealed))).toBe("unknownKey")
    expect(failure(open(master, place, { ...sealed, keyId: "0000000000000000" }))).toBe("unknownKey")
  })

  it("is readable at every moment of a rotation, which never touches the secret itself", () => {
    const [from, to] = [key(), key()]
    const sealed = seal(from, place, "hello")
    const turned = Result.getOrThrow(rewrap(from, to, place, sealed))
    expect(turned.data).toBe(sealed.data)
    expect(turned.keyId).toBe(to.id)
    expect(open(to, place, turned)).toEqual(Result.succeed("hello"))
    expect(failure(open(from, place, turned))).toBe("unknownKey")
    expect(open(from, place, sealed)).toEqual(Result.succeed("hello"))
  })

  it("needs a master key of 32 bytes", () => {
    for (const hex of ["", "abc", "z".repeat(64), "0".repeat(63)])
      expect(failure(masterKey(hex))).toBe("badKey")
    expect(failure(masterKey(`${"0a".repeat(32)}\n`))).toBe("opened")
  })
})

const oldKey = Redacted.make("11".repeat(32))
const newKey = Redacted.make("22".repeat(32))
const layer = (current: Redacted.Redacted, former: ReadonlyArray<Redacted.Redacted> = []) =>
  Secrets.layer({ current, former }).pipe(Layer.provideMerge(Redaction.layer))

describe("Secrets", () => {
  it.effect("an opened secret and the master key are redacted from then on", () =>
    Effect.gen(function* () {
      const sealed = yield* Effect.flatMap(Secrets, (secrets) =>
        secrets.seal(place, Redacted.make("correct horse battery")),
      ).pipe(Effect.provide(layer(oldKey)))
      yield* Effect.gen(function* () {
        const secrets = yield* Secrets
        const { redact } = yield* Redaction
        const secret = yield* secrets.open(place, sealed)
        expect(lastFour(secret)).toBe("…tery")
        expect(redact(`${Redacted.value(secret)} ${Redacted.value(oldKey)}`)).toBe("[redacted] [redacted]")
      }).pipe(Effect.provide(layer(oldKey)))
    }),
  )

  it.effect("rotates rows of a former key and leaves the others alone", () =>
    Effect.gen(function* () {
      const old = yield* Effect.flatMap(Secrets, (secrets) =>
        secrets.seal(place, Redacted.make("hello")),
      ).pipe(Effect.provide(layer(oldKey)))
      yield* Effect.gen(function* () {
        const secrets = yield* Secrets
        const turned = yield* secrets.rotate(place, old)
        if (turned === null) return expect.fail("expected a new value")
        expect(yield* secrets.rotate(place, turned)).toBeNull()
        expect(Redacted.value(yield* secrets.open(place, turned))).toBe("hello")
        expect(Redacted.value(yield* secrets.open(place, old))).toBe("hello")
      }).pipe(Effect.provide(layer(newKey, [oldKey])))
      const error = yield* Effect.flatMap(Secrets, (secrets) => secrets.open(place, old)).pipe(
        Effect.provide(layer(newKey)),
        Effect.flip,
      )
      expect(error.message).toContain("start with the ENCRYPTION_KEY")
    }),
  )
})
