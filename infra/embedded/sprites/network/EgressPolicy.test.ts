import { expect, it } from "vitest"
import { allows, allowsAny, normal, parsePolicy } from "./EgressPolicy.ts"

const rules = (...list: ReadonlyArray<unknown>) => parsePolicy({ rules: list })
const allow = (domain: string) => ({ domain, action: "allow" })
const deny = (domain: string) => ({ domain, action: "deny" })

it("nothing is allowed that no rule allows", () => {
  expect(allows([], "example.com")).toBe(false)
  expect(allowsAny(rules(deny("*")))).toBe(false)
  expect(allows(rules(allow("example.com")), "example.org")).toBe(false)
  expect(allows(rules(allow("example.com")), "notexample.com")).toBe(false)
  expect(allows(rules(allow("example.com")), "www.example.com")).toBe(false)
})

it("a wildcard stands for names below, at any depth", () => {
  const policy = rules(allow("*.example.com"))
  expect(allows(policy, "a.example.com")).toBe(true)
  expect(allows(policy, "a.b.example.com")).toBe(true)
  expect(allows(policy, "example.com")).toBe(false)
  expect(allows(policy, "evil-example.com")).toBe(false)
})

it("the most exact rule wins, in any order, and a denial over its equal", () => {
  for (const policy of [
    rules(deny("*.example.com"), allow("*"), allow("a.example.com")),
    rules(allow("a.example.com"), allow("*"), deny("*.example.com")),
  ]) {
    expect(allows(policy, "a.example.com")).toBe(true)
    expect(allows(policy, "b.example.com")).toBe(false)
    expect(allows(policy, "example.com")).toBe(true)
  }
  expect(allows(rules(deny("example.com"), allow("example.com")), "example.com")).toBe(false)
  expect(allows(rules(allow("example.com"), deny("example.com")), "example.com")).toBe(false)
})

it("an address is allowed only where a rule names it", () => {
  expect(allows(rules(allow("*")), "1.1.1.1")).toBe(false)
  expect(allows(rules(allow("1.1.1.1")), "1.1.1.1")).toBe(true)
})

it("the defaults are what building software needs", () => {
  expect(allows(rules({ include: "defaults" }), "github.com")).toBe(true)
  expect(allows(rules({ include: "defaults" }), "example.com")).toBe(false)
  expect(allows(rules({ include: "defaults" }, deny("github.com")), "github.com")).toBe(false)
})

it("a host has one way to be written, and an address in disguise is none", () => {
  expect(normal("EXAMPLE.com.")).toBe("example.com")
  expect(normal("bücher.example")).toBe("xn--bcher-kva.example")
  expect(normal("[::1]")).toBe("::1")
  for (const host of ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "a b", "", "a..b", "a/b", "a@b", "x.0x7f"])
    expect(normal(host), host).not.toBe(host) // prettier-ignore
})

it("a policy that means nothing is refused with the way to write it", () => {
  for (const rule of [{}, { domain: "x.y" }, { domain: "", action: "allow" }, { domain: "*.*", action: "allow" }]) {
    expect(() => rules(rule)).toThrow()
  } // prettier-ignore
  expect(() => rules({ include: "everything" })).toThrow(/defaults/)
  expect(() => rules({ domain: "http://x.y", action: "allow" })).toThrow(/write example.com/)
})
