/**
 * The durable consumers of the stream: listed once, and only missing ones are made. Known ones are opened without a request each,
 * so that a thousand agents start with a handful of requests.
 */
import {
  AckPolicy,
  DeliverPolicy,
  type Consumer,
  type ConsumerInfo,
  type JetStreamClient,
  type JetStreamManager,
} from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import type { WorkspaceId } from "../room/Id.ts"
import type { Ear } from "./Bus.ts"
import { streamName } from "./Subject.ts"

export class Durables {
  private readonly js: JetStreamClient
  private readonly jsm: JetStreamManager
  private readonly stream: string
  private listed: Promise<Map<string, ConsumerInfo>> | undefined

  constructor(js: JetStreamClient, jsm: JetStreamManager, ws: WorkspaceId) {
    this.js = js
    this.jsm = jsm
    this.stream = streamName(ws)
  }

  /** The durable; made when it is missing, with `ackWait` seconds to acknowledge a delivery. */
  async open(ear: Ear, ackWait: number): Promise<Consumer> {
    const listed = await this.all()
    const known = listed.get(ear.durable)
    // Once: when it is asked for again, it is because it has gone.
    listed.delete(ear.durable)
    if (known !== undefined) return this.js.consumers.getConsumerFromInfo(known)
    try {
      return await this.js.consumers.get(this.stream, ear.durable)
    } catch {
      const made = await this.jsm.consumers.add(this.stream, {
        durable_name: ear.durable,
        filter_subject: ear.filter,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWait * 1000),
        max_ack_pending: 1000,
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: ear.since,
      })
      return this.js.consumers.getConsumerFromInfo(made)
    }
  }

  private all(): Promise<Map<string, ConsumerInfo>> {
    return (this.listed ??= this.list().catch((error: unknown) => {
      this.listed = undefined
      throw error
    }))
  }

  private async list(): Promise<Map<string, ConsumerInfo>> {
    const found = new Map<string, ConsumerInfo>()
    for await (const info of this.jsm.consumers.list(this.stream)) found.set(info.name, info)
    return found
  }
}
