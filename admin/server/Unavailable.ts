/** The store or the bus is away: what a person reads of it. */
import type { BusError, StoreError } from "../../runtime/index.ts"
import { Unavailable } from "../api/index.ts"

export const unavailable = (error: StoreError | BusError) =>
  new Unavailable({
    error:
      error._tag === "BusError"
        ? "The message bus does not answer; try again in a moment."
        : "The database does not answer; try again in a moment. Nothing was lost.",
  })
