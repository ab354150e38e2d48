/**
 * Webhooks as GitHub sends them: signed over the raw bytes, one attempt, ten seconds, 2xx or it failed; nothing is sent
 * again by itself. What was sent can be listed for three days, fetched, and sent again under the same guid.
 */
import { createHmac, randomUUID } from "node:crypto"
import { request as httpRequest, type Agent } from "node:http"
import { type App, type Delivery, type Installation, type Repo, type World } from "./World.ts"
import { wireRepo, wireUser } from "./Wire.ts"
import type { Account } from "./World.ts"

export interface Event {
  readonly event: string
  readonly action: string | null
  readonly repo: Repo
  readonly sender: Account
  readonly body: Readonly<Record<string, unknown>>
}

const patienceMs = 10_000
/** Bigger payloads are never sent. */
const maxBytes = 25 * 1024 * 1024

export class Hooks {
  private readonly world: World
  private readonly agent: Agent
  private readonly url: () => string
  /** Deliveries under way. */
  private open = 0
  /** While it is set, GitHub notes what happens and tries to send nothing. */
  silent = false

  constructor(world: World, agent: Agent, url: () => string) {
    this.world = world
    this.agent = agent
    this.url = url
  }

  /** To every App that is installed there. */
  send(event: Event): void {
    for (const installation of this.world.installations.values())
      if (installation.repos.has(event.repo)) this.make(installation, event)
    this.world.changed()
  }

  get idle(): boolean {
    return this.open === 0
  }

  again(app: App, delivery: Delivery): void {
    this.attempt(app, {
      ...delivery,
      id: this.world.id(),
      at: this.world.time(),
      redelivery: true,
      status: 0,
    })
  }

  private make(installation: Installation, { event, action, repo, sender, body }: Event): void {
    const url = this.url()
    const payload = JSON.stringify({
      ...(action === null ? {} : { action }),
      ...body,
      repository: wireRepo(repo, url),
      sender: wireUser(sender, url),
      installation: { id: installation.id },
    })
    if (Buffer.byteLength(payload) > maxBytes) return
    this.push(installation.app, event, action, installation.id, repo.id, payload)
  }

  /** Any payload at all, signed for the App. The delivery's guid. */
  push(
    app: App,
    event: string,
    action: string | null,
    installation: number,
    repo: number | null,
    payload: string,
    headers: Readonly<Record<string, string>> = {},
  ): string {
    const guid = randomUUID()
    this.attempt(app, {
      id: this.world.id(),
      guid,
      event,
      action,
      installation,
      repo,
      payload,
      headers: {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/emulated",
        "x-github-event": event,
        "x-github-delivery": guid,
        "x-github-hook-installation-target-id": String(app.id),
        "x-hub-signature-256": `sha256=${createHmac("sha256", app.webhookSecret).update(payload).digest("hex")}`,
        ...headers,
      },
      at: this.world.time(),
      redelivery: false,
      status: 0,
    })
    return guid
  }

  private attempt(app: App, delivery: Delivery): void {
    app.deliveries.push(delivery)
    if (this.silent || app.hook === null) return
    this.open++
    const done = (status: number) => {
      if (settled) return
      settled = true
      delivery.status = status
      this.open--
      this.world.changed()
    }
    let settled = false
    const body = Buffer.from(delivery.payload)
    const sent = httpRequest(
      app.hook,
      {
        agent: this.agent,
        method: "POST",
        timeout: patienceMs,
        headers: { ...delivery.headers, "content-length": body.length },
      },
      (response) => {
        response.resume()
        response.once("end", () => done(response.statusCode ?? 502))
        response.once("error", () => done(502))
      },
    )
    sent.once("timeout", () => sent.destroy())
    sent.once("error", () => done(502))
    sent.end(body)
  }
}
