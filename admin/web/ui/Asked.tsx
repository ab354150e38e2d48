/** What a page asked for: shown when it is there; a calm skeleton until then, the sentence when it failed. */
import { Skeleton } from "@mantine/core"
import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { sentence } from "../data/Client.ts"

export const Asked = <A,>({
  of,
  children,
}: {
  readonly of: UseQueryResult<A>
  readonly children: (answer: A) => ReactNode
}) => {
  if (of.data !== undefined) return children(of.data)
  if (of.isError)
    return (
      <div className="nothing">
        <h3>That did not work</h3>
        <p>{sentence(of.error)}</p>
        <button type="button" className="quiet-button" onClick={() => void of.refetch()}>
          Try again
        </button>
      </div>
    )
  return (
    <div aria-busy="true" className="skeletons">
      <Skeleton height={90} radius="lg" />
      <Skeleton height={220} radius="lg" />
    </div>
  )
}
