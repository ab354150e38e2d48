import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { lane } from "./Lane.ts"
import { Sql } from "./Sql.ts"
import { StoreError } from "./StoreError.ts"

interface Row {
  readonly value: string
}
interface Answer {
  readonly ord: number
  readonly value: string
}
type Sent = ReadonlyArray<Row & { readonly ord: number }>

/** A store that answers each statement when the test says so. */
const fake = () => {
  const statements: Array<{ rows: Sent; done: Deferred.Deferred<ReadonlyArray<Answer>, StoreError> }> = []
  let arrived = () => {}
  const sql = Sql.of({
    hot: ((_: string, [rows]: ReadonlyArray<unknown>) => {
      const done = Deferred.makeUnsafe<ReadonlyArray<Answer>, StoreError>()
      statements.push({ rows: rows as Sent, done })
      arrived()
      return Deferred.await(done)
    }) as never,
    cold: () => Effect.die("not used"),
  })
  const until = (n: number) =>
    new Promise<void>((resolve) => {
      const check = () => statements.length >= n && resolve()
      arrived = check
      check()
    })
  const succeed = (i: number) =>
    Deferred.doneUnsafe(
      statements[i]!.done,
      Effect.succeed(statements[i]!.rows.map(({ ord, value }) => ({ ord, value: value.toUpperCase() }))),
    )
  const fail = (i: number, kind: StoreError["kind"], cause: unknown = null) =>
    Deferred.doneUnsafe(statements[i]!.done, Effect.fail(new StoreError({ kind, message: "no", cause })))
  return { sql, statements, until, succeed, fail }
}

const values = (rows: Sent) => rows.map((r) => r.value)

describe("a lane", () => {
  it("sends what was told in one turn of the event loop in one statement, and answers each row", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const answers = Promise.all(["a", "b", "c"].map((value) => Effect.runPromise(send({ value }))))
    await f.until(1)
    expect(values(f.statements[0]!.rows)).toEqual(["a", "b", "c"])
    f.succeed(0)
    expect((await answers).map((a) => a.value)).toEqual(["A", "B", "C"])
    expect(f.statements).toHaveLength(1)
  })

  it("gathers while a statement is in flight, and sends the next without a timer", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const first = Effect.runPromise(send({ value: "a" }))
    await f.until(1)
    const rest = Promise.all(["b", "c"].map((value) => Effect.runPromise(send({ value }))))
    expect(f.statements).toHaveLength(1)
    f.succeed(0)
    await first
    await f.until(2)
    expect(values(f.statements[1]!.rows)).toEqual(["b", "c"])
    f.succeed(1)
    expect((await rest).map((a) => a.value)).toEqual(["B", "C"])
  })

  it("keeps rows that belong together in one statement", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const answers = Promise.all(
      send.all(["a", "b"].map((value) => ({ value }))).map((a) => Effect.runPromise(a)),
    )
    await f.until(1)
    expect(values(f.statements[0]!.rows)).toEqual(["a", "b"])
    f.succeed(0)
    expect((await answers).map((a) => a.value)).toEqual(["A", "B"])
  })

  it("repeats a refused batch row by row, so that one bad row fails alone", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const answers = Promise.allSettled(["a", "bad", "c"].map((value) => Effect.runPromise(send({ value }))))
    await f.until(1)
    f.fail(0, "refused")
    await f.until(2)
    f.succeed(1)
    await f.until(3)
    f.fail(2, "refused")
    await f.until(4)
    f.succeed(3)
    expect((await answers).map((a) => a.status)).toEqual(["fulfilled", "rejected", "fulfilled"])
  })

  it("fails the whole batch when the store is away, and goes on with the next", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const answers = Promise.allSettled(["a", "b"].map((value) => Effect.runPromise(send({ value }))))
    await f.until(1)
    f.fail(0, "unavailable")
    expect((await answers).map((a) => a.status)).toEqual(["rejected", "rejected"])
    const next = Effect.runPromise(send({ value: "c" }))
    await f.until(2)
    f.succeed(1)
    expect((await next).value).toBe("C")
  })

  it("sends a batch again that lost a deadlock: it did not commit", async () => {
    const f = fake()
    const send = lane<Row, Answer>(f.sql, "")
    const answers = Promise.all(["a", "b"].map((value) => Effect.runPromise(send({ value }))))
    await f.until(1)
    f.fail(0, "unavailable", { code: "40P01" })
    await f.until(2)
    expect(values(f.statements[1]!.rows)).toEqual(["a", "b"])
    f.succeed(1)
    expect((await answers).map((a) => a.value)).toEqual(["A", "B"])
  })

  it("keeps rows of one key apart and in order, beside those of others", async () => {
    const f = fake()
    const send = lane<Row, Answer, Answer>(f.sql, "", {
      apart: ({ value }) => value[0]!,
      encode: ({ value }) => ({ value: `${value}!` }),
      decode: ({ ord, value }, row) => ({ ord, value: `${row.value}=${value}` }),
    })
    const answers = Promise.all(["a1", "a2", "b1", "a3"].map((value) => Effect.runPromise(send({ value }))))
    await f.until(1)
    f.succeed(0)
    await f.until(2)
    f.succeed(1)
    await f.until(3)
    f.succeed(2)
    expect((await answers).map((a) => a.value)).toEqual(["a1=A1!", "a2=A2!", "b1=B1!", "a3=A3!"])
    expect(f.statements.map((s) => values(s.rows))).toEqual([["a1!", "b1!"], ["a2!"], ["a3!"]])
  })
})
