/**
 * The ground truth: accounts, Apps, repositories and what was said there. Everything people see is here; what a client
 * reported of itself is not. Times have whole seconds, as GitHub's have.
 */
import type { KeyObject } from "node:crypto"

export interface Account {
  readonly id: number
  login: string
  readonly type: "User" | "Bot" | "Organization"
}

export type Permission = "none" | "read" | "triage" | "write" | "maintain" | "admin"

export interface App {
  readonly id: number
  readonly slug: string
  readonly bot: Account
  /** What its tokens must be signed with. */
  readonly publicKey: KeyObject
  readonly privateKey: string
  readonly webhookSecret: string
  readonly permissions: Readonly<Record<string, string>>
  /** Where its webhook points; null: it has none yet. */
  hook: string | null
  readonly deliveries: Array<Delivery>
}

export interface Installation {
  readonly id: number
  readonly app: App
  readonly account: Account
  readonly repos: Set<Repo>
}

export interface Delivery {
  readonly id: number
  readonly guid: string
  readonly event: string
  readonly action: string | null
  readonly installation: number
  readonly repo: number | null
  readonly payload: string
  readonly headers: Readonly<Record<string, string>>
  readonly at: string
  readonly redelivery: boolean
  /** 0 while it is under way, and when nobody answered. */
  status: number
}

export interface Repo {
  readonly id: number
  owner: Account
  name: string
  readonly private: boolean
  /** A bare repository. */
  readonly directory: string
  readonly collaborators: Map<number, Permission>
  readonly issues: Map<number, Issue>
  readonly labels: Set<string>
  /** Former `owner/name`, which GitHub redirects. */
  readonly formerly: Set<string>
  deleted: boolean
}

export interface Issue {
  readonly id: number
  readonly number: number
  readonly repo: Repo
  title: string
  body: string
  readonly user: Account
  readonly app: App | null
  state: "open" | "closed"
  reason: string | null
  readonly labels: Set<string>
  readonly assignees: Set<Account>
  readonly reactions: Array<Reaction>
  readonly comments: Array<Comment>
  readonly createdAt: string
  updatedAt: string
  readonly pull: Pull | null
  /** Where it was moved to. */
  moved: Issue | null
}

export interface Pull {
  readonly head: string
  readonly headRepo: Repo
  readonly base: string
  headSha: string
  baseSha: string
  draft: boolean
  merged: boolean
  readonly requested: Set<Account>
  readonly reviews: Array<Review>
  readonly threads: Array<ReviewComment>
  readonly checks: Array<Check>
}

export interface Comment {
  readonly id: number
  readonly user: Account
  readonly app: App | null
  body: string
  /** What it said before, oldest first. */
  readonly edits: Array<string>
  readonly reactions: Array<Reaction>
  readonly createdAt: string
  updatedAt: string
}

export interface ReviewComment extends Comment {
  readonly path: string
  readonly line: number
  readonly side: "LEFT" | "RIGHT"
  readonly replyTo: number | null
  readonly review: number | null
  readonly commit: string
}

export interface Review {
  readonly id: number
  readonly user: Account
  readonly app: App | null
  body: string
  readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED"
  readonly commit: string
  readonly at: string
}

export interface Check {
  readonly id: number
  readonly name: string
  readonly sha: string
  readonly conclusion: string
  readonly summary: string
}

export interface Reaction {
  readonly id: number
  readonly user: Account
  readonly content: string
}

export interface Token {
  readonly token: string
  readonly installation: Installation
  readonly repos: ReadonlySet<Repo>
  readonly permissions: Readonly<Record<string, string>>
  expiresAt: number
}

export class World {
  readonly accounts = new Map<number, Account>()
  readonly apps = new Map<number, App>()
  readonly installations = new Map<number, Installation>()
  readonly repos = new Map<number, Repo>()
  readonly tokens = new Map<string, Token>()
  /** Apps that were made from a manifest and wait to be fetched, by code. */
  readonly manifests = new Map<string, App>()
  private serial = 1_000
  private readonly watchers = new Set<() => void>()
  readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  id(): number {
    return ++this.serial
  }

  /** Whole seconds. */
  time(): string {
    return new Date(Math.floor(this.now() / 1000) * 1000).toISOString().replace(".000Z", "Z")
  }

  changed(): void {
    for (const look of this.watchers) look()
  }

  onChange(look: () => void): () => void {
    this.watchers.add(look)
    return () => void this.watchers.delete(look)
  }

  account(login: string): Account | undefined {
    const name = login.toLowerCase()
    return [...this.accounts.values()].find((a) => a.login.toLowerCase() === name)
  }

  /** Also by a former name; the answer then tells the current one. */
  repo(fullName: string): { readonly repo: Repo; readonly moved: boolean } | undefined {
    const name = fullName.toLowerCase()
    for (const repo of this.repos.values()) {
      if (repo.deleted) continue
      if (nameOf(repo).toLowerCase() === name) return { repo, moved: false }
      if ([...repo.formerly].some((f) => f.toLowerCase() === name)) return { repo, moved: true }
    }
    return undefined
  }

  permission(repo: Repo, account: Account): Permission {
    if (repo.owner.id === account.id) return "admin"
    return repo.collaborators.get(account.id) ?? (repo.private ? "none" : "read")
  }

  nextNumber(repo: Repo): number {
    return Math.max(0, ...repo.issues.keys()) + 1
  }
}

export const nameOf = (repo: Repo): string => `${repo.owner.login}/${repo.name}`
