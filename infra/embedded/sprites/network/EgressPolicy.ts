/**
 * The rules by which a sprite may reach hosts outside. Nothing is allowed that no rule allows. The most exact rule wins: a
 * name before a wildcard, a longer wildcard before a shorter one, any of them before `*`; of two equal ones the denial.
 * A wildcard `*.example.com` stands for names below example.com at any depth, not for example.com itself.
 */
import { isIP } from "node:net"
import { domainToASCII } from "node:url"
import { invalid } from "../Wire.ts"

export type Rule =
  { readonly domain: string; readonly action: "allow" | "deny" } | { readonly include: "defaults" }

const maxRules = 500

/** What building software commonly needs: package indexes, code hosts, the systems' own archives. */
const defaults = [
  "github.com", "*.github.com", "*.githubusercontent.com", "gitlab.com", "bitbucket.org", "*.npmjs.org", "*.yarnpkg.com",
  "nodejs.org", "pypi.org", "*.pypi.org", "*.pythonhosted.org", "crates.io", "*.crates.io", "static.rust-lang.org",
  "proxy.golang.org", "sum.golang.org", "rubygems.org", "*.rubygems.org", "repo.maven.apache.org", "*.debian.org",
  "*.ubuntu.com",
] as const // prettier-ignore

export const parsePolicy = (body: Record<string, unknown>): ReadonlyArray<Rule> => {
  const { rules } = body
  if (!Array.isArray(rules)) throw invalid('A network policy is {"rules": [...]}.')
  if (rules.length > maxRules) throw invalid(`A network policy has at most ${maxRules} rules.`)
  return rules.map((rule: unknown) => parseRule(rule))
}

const parseRule = (rule: unknown): Rule => {
  const { domain, action, include } = (rule ?? {}) as Record<string, unknown>
  if (include === "defaults" && domain === undefined && action === undefined) return { include }
  if (include !== undefined) throw invalid('The only thing to include is "defaults".')
  if (action !== "allow" && action !== "deny") throw invalid('A rule\'s action is "allow" or "deny".')
  const name = typeof domain === "string" ? normal(domain.replace(/^\*\./, "")) : undefined
  if (domain !== "*" && name === undefined)
    throw invalid(`${JSON.stringify(domain)} is no domain: write example.com, *.example.com or *.`)
  if (domain === "*") return { domain, action }
  const wild = typeof domain === "string" && domain.startsWith("*.")
  if (wild && isIP(name ?? "") !== 0) throw invalid(`${JSON.stringify(domain)} is no domain.`)
  return { domain: `${wild ? "*." : ""}${name}`, action }
}

/** Lower case, without a last dot, in the letters of the DNS; undefined for what is no host at all. */
export const normal = (host: string): string | undefined => {
  const bare = host.replace(/^\[(.*)\]$/, "$1")
  if (isIP(bare) !== 0) return bare.toLowerCase()
  const ascii = domainToASCII(bare.replace(/\.$/, ""))
  if (ascii.length > 253 || !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(ascii))
    return undefined
  // "127.1", "0x7f000001" and the like are addresses in disguise: a name's last part has a letter.
  return /(^|\.)(\d+|0x[0-9a-f]*)$/.test(ascii) ? undefined : ascii
} // prettier-ignore

/** `host` as `normal` gives it. */
export const allows = (rules: ReadonlyArray<Rule>, host: string): boolean => {
  let best = { exactness: -1, allow: false }
  for (const { domain, allow } of rules.flatMap(plain)) {
    const exactness = fit(domain, host)
    if (exactness > best.exactness) best = { exactness, allow }
    else if (exactness === best.exactness && !allow) best = { exactness, allow: false }
  }
  return best.allow
}

/** Whether there is any host that the rules might allow. */
export const allowsAny = (rules: ReadonlyArray<Rule>): boolean =>
  rules.flatMap(plain).some(({ allow }) => allow)

const plain = (rule: Rule): ReadonlyArray<{ readonly domain: string; readonly allow: boolean }> =>
  "include" in rule
    ? defaults.map((domain) => ({ domain, allow: true }))
    : [{ domain: rule.domain, allow: rule.action === "allow" }]

/** -1 does not fit; then the more exact the higher. */
const fit = (domain: string, host: string): number => {
  if (domain === host) return Number.MAX_SAFE_INTEGER
  // An address is reached only by a rule that names it.
  if (isIP(host) !== 0) return -1
  if (domain === "*") return 0
  return domain.startsWith("*.") && host.endsWith(domain.slice(1)) ? domain.length : -1
}
