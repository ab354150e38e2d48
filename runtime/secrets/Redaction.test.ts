import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { makeRedaction } from "./Redaction.ts"

const character = (set: string) => fc.constantFrom(...set)
const word = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
const chars = (set: string, minLength: number, maxLength = minLength) =>
  fc.string({ unit: character(set), minLength, maxLength })

const tokens = {
  telegram: fc
    .tuple(chars("123456789", 8, 10), chars(word, 35))
    .map(([bot, secret]) => ({ text: `${bot}:${secret}`, secret: secret.slice(0, 30) })),
  anthropic: chars(word, 80, 100).map((secret) => ({ text: `sk-ant-api03-${secret}`, secret })),
  github: fc
    .tuple(
      fc.constantFrom("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
      chars(word.slice(0, 62), 36),
    )
    .map(([prefix, secret]) => ({ text: prefix + secret, secret })),
  githubJwt: chars(word, 160, 175).map((part) => ({ text: `ghs_${part}.${part}.${part}`, secret: part })),
  bearer: chars(word, 24, 60).map((secret) => ({ text: `Authorization: Bearer 1${secret}`, secret })),
  url: chars(word, 8, 30).map((secret) => ({ text: `postgres://troupe:${secret}@db:5432/x`, secret })),
  pem: chars(word, 64, 200).map((secret) => ({
    text: `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
    secret,
  })),
}

describe("Redaction", () => {
  test("no known value survives, whatever surrounds it", () => {
    const secret = fc.string({ minLength: 8, maxLength: 60, unit: "binary" })
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 8 }),
        fc.array(fc.string()),
        (secrets, words) => {
          const { add, redact } = makeRedaction()
          for (const value of secrets) add(value)
          const text = [...words, ...secrets, ...words, ...secrets.toReversed()].join("")
          for (const value of secrets) {
            if ("[redacted]".includes(value)) continue
            expect(redact(text).includes(value)).toBe(false)
            expect(redact(JSON.stringify({ text })).includes(JSON.stringify(value).slice(1, -1))).toBe(false)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each(Object.keys(tokens) as Array<keyof typeof tokens>)(
    "no %s token survives, though never registered",
    (kind) => {
      fc.assert(
        fc.property(tokens[kind], fc.string(), ({ text, secret }, around) => {
          const { redact } = makeRedaction()
          expect(redact(`${around} ${text} ${around}`)).not.toContain(secret)
          expect(redact(JSON.stringify({ around, text }))).not.toContain(secret)
        }),
      )
    },
  )

  test("one value inside or across another hides both", () => {
    const { add, redact } = makeRedaction()
    for (const value of ["abcdefgh", "abcdefghijkl", "ijklmnopqr"]) add(value)
    expect(redact("x abcdefghijklmnopqr y")).toBe("x [redacted]mnopqr y")
  })

  test("ordinary words, ids and code stay as they are, and are the same string", () => {
    const { add, redact, redactJson } = makeRedaction()
    add("a very secret value")
    for (const text of [
      "The bearer of good news came at 12:34:56.",
      "authorization: required for https://example.com:8080/path?q=1",
      "gh pr view 12 --json title",
      "const ratio = { a: 1, b: 2 } // 16:9",
      "01hx3k9q2b4c8d7e6f5g",
    ]) {
      expect(redact(text)).toBe(text)
    }
    const event = { kind: "message", text: "hello", list: [1, null, { deep: "quiet" }] }
    expect(redactJson(event)).toBe(event)
    expect(redactJson({ ...event, list: [{ deep: "say a very secret value now" }] })).toEqual({
      ...event,
      list: [{ deep: "say [redacted] now" }],
    })
  })

  test("1 KB costs less than 20 microseconds with a hundred known secrets", () => {
    const { add, redact } = makeRedaction()
    for (let i = 0; i < 100; i++) add(`secret-${i}-${"x".repeat(20 + i)}`)
    const text = 'The build at https://ci.example:443/run finished: {"ok":true,"ms":1200}. '.repeat(14)
    const best = Math.min(
      ...Array.from({ length: 40 }, () => {
        const start = performance.now()
        for (let i = 0; i < 200; i++) redact(text)
        return ((performance.now() - start) * 1000) / 200
      }),
    )
    console.log(`redact: ${best.toFixed(1)} µs for ${text.length} characters`)
    expect(best).toBeLessThan(20)
  })
})
