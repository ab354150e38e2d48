/** The API from the page: typed by its definition, with errors as the sentences it answers. */
import { type Answer, type AnyAsked, type Call, lineOf, type Route } from "../../api/Call.ts"

/** An answer that is not a success: its status (0: no answer) and its sentence. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Told once for every answer that says the session is over. */
export const session = { ended: () => {} }

export const call = async <R extends Route>(route: R, ...[asked]: Call<R>): Promise<Answer<R>> => {
  const { method, url } = lineOf(route, asked as AnyAsked | undefined)
  const { body } = (asked ?? {}) as AnyAsked
  const request =
    method === "GET"
      ? {}
      : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) }
  const answer = await fetch(url, { ...request, cache: "no-store" }).catch(() => {
    throw new ApiError(0, "Troupe does not answer; check that it is running.")
  })
  const data = (await answer.json().catch(() => ({}))) as { readonly error?: string }
  if (answer.ok) return data as Answer<R>
  if (answer.status === 401) session.ended()
  throw new ApiError(answer.status, data.error ?? "That did not work.")
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))
