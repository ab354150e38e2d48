/**
 * A process of the benchmark with a few methods, called over the IPC channel: emulators and the bare bot run in one each, so
 * that nobody shares an event loop with the bot that is measured. A child dies with its parent.
 */
import { fork, type ChildProcess } from "node:child_process"
import { join } from "node:path"

type Methods = Readonly<Record<string, (...args: Array<never>) => unknown>>

/** The same methods from the other side. */
export type Remote<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

interface Call {
  readonly id: number
  readonly method: string
  readonly args: Array<never>
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

export interface Child<M> {
  readonly pid: number
  readonly call: Remote<M>
  readonly stop: () => void
}

/** Starts `infra/bench/<file>`; resolves when its methods are there. */
export const child = async <M>(
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Child<M>> => {
  const { PATH = "", HOME = "/" } = process.env
  const made: ChildProcess = fork(join(import.meta.dirname, file), { env: { PATH, HOME, ...env } })
  const waiting = new Map<
    number,
    { readonly done: (value: unknown) => void; readonly failed: (error: Error) => void }
  >()
  let ids = 0
  made.on("message", (answer: Answer) => {
    const caller = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.error === undefined) caller?.done(answer.value)
    else caller?.failed(new Error(`${file}: ${answer.error}`))
  })
  made.once("exit", (code) => {
    for (const { failed } of waiting.values()) failed(new Error(`${file} ended with ${code}`))
  })
  const ask = (method: string, ...args: Array<never>) =>
    new Promise((done, failed) => {
      waiting.set(++ids, { done, failed })
      made.send({ id: ids, method, args } satisfies Call)
    })
  const call = new Proxy(
    {},
    {
      get:
        (_, method: string) =>
        (...args: Array<never>) =>
          ask(method, ...args),
    },
  )
  await ask("ready")
  return { pid: made.pid ?? 0, call: call as Remote<M>, stop: () => void made.kill("SIGKILL") }
}

/** The child's side. */
export const serve = (methods: Methods): void => {
  process.on("message", ({ id, method, args }: Call) => {
    const run = async () => (method === "ready" ? undefined : methods[method]!(...args))
    run().then(
      (value) => process.send?.({ id, value } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: String(error) } satisfies Answer),
    )
  })
  process.once("disconnect", () => process.exit())
}

/** Milliseconds on the machine's monotonic clock, the same in all processes. */
export const now = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000
