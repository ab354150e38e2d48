/** One request with five seconds of patience: its status and text, or undefined when nothing answers. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

export const fetched = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.tryPromise({
    try: async (signal) => {
      const answer = await fetch(url, { headers, signal, redirect: "manual" })
      const date = answer.headers.get("date")
      return {
        status: answer.status,
        text: await answer.text(),
        date: date === null ? null : Date.parse(date),
      }
    },
    catch: String,
  }).pipe(Effect.timeout("5 seconds"), Effect.option, Effect.map(Option.getOrUndefined))
