/** The same work on nact as it is. */
import { dispatch, query, spawn, start, stop } from "nact"

let runs = 0
const system = () => start(`bench-${runs++}`)

export const burst = (messages: number): Promise<void> =>
  new Promise((done) => {
    const root = system()
    const actor = spawn(
      root,
      (count: number = 0, _message: number) => {
        if (count + 1 === messages) done(stop(root))
        return count + 1
      },
      "burst",
    )
    for (let n = 0; n < messages; n++) dispatch(actor, n)
  })

export const pingPong = (hops: number): Promise<void> =>
  new Promise((done) => {
    const root = system()
    const ping = spawn(root, (_: undefined, n: number) => dispatch(pong, n) as undefined, "ping")
    const pong = spawn(
      root,
      (_: undefined, n: number) => (n === 0 ? done(stop(root)) : dispatch(ping, n - 2)) as undefined,
      "pong",
    )
    dispatch(ping, hops)
  })

export const fanOut = (actors: number, rounds: number): Promise<void> =>
  new Promise((done) => {
    const root = system()
    let left = actors * rounds
    const all = Array.from({ length: actors }, (_, n) =>
      spawn(
        root,
        (count: number = 0, _message: number) => {
          if (--left === 0) done(stop(root))
          return count + 1
        },
        `a${n}`,
      ),
    )
    const round = (n: number): void => {
      for (const actor of all) dispatch(actor, n)
      if (n > 1) setImmediate(round, n - 1)
    }
    round(rounds)
  })

export const asks = async (count: number): Promise<void> => {
  const root = system()
  const actor = spawn(
    root,
    (_: undefined, message: { reply: never }) => dispatch(message.reply, 1 as never) as undefined,
    "echo",
  )
  for (let n = 0; n < count; n++) await query(actor, (reply) => ({ reply: reply as never }), 1000)
  stop(root)
}

export const spawns = (count: number): void => {
  const root = system()
  for (let n = 0; n < count; n++) spawn(root, (state: number = 0, _message: number) => state, `a${n}`)
  stop(root)
}
