/** One delivery, as it is kept in the inbox: what we read of the payload, and whether words of it are still to be worked out. */
import { storable } from "../../runtime/index.ts"
import { decodePayload, gist, type Payload } from "./Payload.ts"

export interface Delivery {
  readonly guid: string
  /** Null: an event that we do not know. */
  readonly payload: Payload | null
  readonly raw: object
}

/** Undefined when it is no delivery at all. */
export const deliveryOf = (
  guid: string | undefined,
  event: string | undefined,
  given: unknown,
): Delivery | undefined => {
  if (guid === undefined || !/^[\w-]{1,100}$/.test(guid)) return undefined
  if (event === undefined || !/^\w{1,60}$/.test(event)) return undefined
  if (typeof given !== "object" || given === null) return undefined
  const payload = decodePayload(event, given) ?? null
  return { guid, payload, raw: storable({ ...(payload ?? gist(event, given)), waiting: payload !== null }) }
}

/** Again from the inbox, after a restart. */
export const storedDelivery = (guid: string, raw: object): Delivery => {
  const event = "event" in raw && typeof raw.event === "string" ? raw.event : ""
  return { guid, payload: decodePayload(event, raw) ?? null, raw }
}
