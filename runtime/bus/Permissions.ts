/**
 * What each NATS user of a company may do. The runtime may do everything. Everybody else may subscribe and publish what stands
 * here and nothing more; replies come to an inbox of the user's own, so that nobody hears another's.
 */
import type { AgentId, DoorId, WorkspaceId } from "../room/Id.ts"
import { durableName, sayOf, streamName } from "./Subject.ts"

export interface Permissions {
  readonly publish: ReadonlyArray<string>
  readonly subscribe: ReadonlyArray<string>
}

export const inboxOf = (user: string) => `_INBOX_${user}`

/**
 * Hears everything under `troupe.>`, reads the streams, and asks services what they are. No consumer: on one server that right would
 * also let it take messages from the agents' own.
 */
export const inspector: Permissions = {
  publish: [
    "$JS.API.INFO",
    "$JS.API.ACCOUNT.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.INFO.*.*",
    ...["PING", "INFO", "STATS"].flatMap((verb) => [`$SRV.${verb}`, `$SRV.${verb}.*`, `$SRV.${verb}.*.*`]),
  ],
  subscribe: [`${inboxOf("inspector")}.>`, "troupe.>"],
}

/** An outside agent: says as itself, takes from its own consumers and acknowledges there. */
export const outside = (
  ws: WorkspaceId,
  agent: { readonly id: AgentId; readonly name: string },
  doors: ReadonlyArray<DoorId>,
): Permissions => {
  const stream = streamName(ws)
  return {
    publish: [
      sayOf(ws, agent.id),
      ...doors.flatMap((door) => {
        const durable = durableName(agent.id, door)
        return [
          `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
          `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
          `$JS.ACK.${stream}.${durable}.>`,
        ]
      }),
    ],
    subscribe: [`${inboxOf(agent.name)}.>`],
  }
}
