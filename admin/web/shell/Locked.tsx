/** Before the page: nobody is signed in, and how to get in. */
import { useQuery } from "@tanstack/react-query"
import { ApiError } from "../data/Client.ts"
import { meQuery } from "../data/Queries.ts"

export const Locked = () => {
  const { error, refetch } = useQuery(meQuery)
  const away = error instanceof ApiError && error.status !== 401
  return (
    <div className="front">
      <main className="front-card">
        <img src="/favicon.svg" alt="" width="44" height="44" />
        {away ? (
          <>
            <h1>Troupe does not answer</h1>
            <p>{error.message}</p>
            <button type="button" className="solid-button" onClick={() => void refetch()}>
              Try again
            </button>
          </>
        ) : (
          <>
            <h1>This page is locked</h1>
            <p>Open the link that was printed when Troupe started. Each link works once.</p>
            <p>For a new one, run this where Troupe runs:</p>
            <pre>
              <code>npx troupe link</code>
            </pre>
          </>
        )}
      </main>
    </div>
  )
}
