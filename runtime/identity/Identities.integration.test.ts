import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import type { DoorId } from "../room/Id.ts"
import { Sql } from "../store/Sql.ts"
import { layerTest } from "../store/testing.ts"
import { Identities, type Account } from "./Identities.ts"

const runtime = ManagedRuntime.make(Identities.layer.pipe(Layer.provideMerge(layerTest)))
afterAll(() => runtime.dispose())
const ask = <A, E>(body: (identities: Identities["Service"]) => Effect.Effect<A, E>) =>
  runtime.runPromise(Effect.flatMap(Identities, body))
const account = (door: string, user: string): Account => ({ door: door as DoorId, user })
const accounts = (of: Account) => ask((i) => i.accounts(of))
const link = async (from: Account, to: Account) => {
  const code = await ask((i) => i.begin(from, to))
  return ask((i) => i.finish(code, to))
}

describe("the accounts of one person", () => {
  it("an account that was never linked stands alone", async () => {
    expect(await accounts(account("tg", "1"))).toEqual([account("tg", "1")])
  })

  it("are linked when the second says the code that the first was given", async () => {
    const [eva, evaHub] = [account("tg", "10"), account("gh", "20")]
    expect(await link(eva, evaHub)).toEqual(eva)
    expect(await accounts(eva)).toEqual([eva, evaHub])
    expect(await accounts(evaHub)).toEqual([evaHub, eva])
  })

  it("a code of somebody else, used before, replaced or too old links nobody", async () => {
    const [tom, tomHub, thief] = [account("tg", "11"), account("gh", "21"), account("gh", "66")]
    const code = await ask((i) => i.begin(tom, tomHub))
    expect(await ask((i) => i.finish(code, thief))).toBeUndefined()
    const again = await ask((i) => i.begin(tom, tomHub))
    expect(await ask((i) => i.finish(code, tomHub))).toBeUndefined()
    await runtime.runPromise(
      Effect.flatMap(Sql, (s) => s.cold("update link set expires_at = now() - interval '1 second'", [])),
    )
    expect(await ask((i) => i.finish(again, tomHub))).toBeUndefined()
    const last = await ask((i) => i.begin(tom, tomHub))
    expect(await ask((i) => i.finish(last.toLowerCase().replaceAll("-", " "), tomHub))).toEqual(tom)
    expect(await ask((i) => i.finish(last, tomHub))).toBeUndefined()
    expect(await accounts(thief)).toEqual([thief])
  })

  it("a third account joins, and whoever was linked with it comes along", async () => {
    const [a, b, c, d] = [account("tg", "12"), account("gh", "22"), account("web", "32"), account("mx", "42")]
    await link(a, b)
    await link(c, d)
    await link(b, d)
    expect((await accounts(a)).map((x) => x.user).toSorted()).toEqual(["12", "22", "32", "42"])
  })

  it("two people who both have a role are not made one, and one with a role keeps it", async () => {
    const [owner, member, nobody] = [account("tg", "14"), account("gh", "24"), account("web", "34")]
    await runtime.runPromise(
      Effect.flatMap(Sql, (s) =>
        s.cold(
          `with p as (insert into person (id, ws, name, role) values ('zp', 'w', 'Eva', 'owner'), ('aq', 'w', 'Tom', 'member'))
           insert into identity (door, external_user, person) values ('tg', '14', 'zp'), ('gh', '24', 'aq')`,
          [],
        ),
      ),
    )
    expect(await link(owner, member)).toBeUndefined()
    expect(await link(nobody, owner)).toEqual(nobody)
    const [row] = await runtime.runPromise(
      Effect.flatMap(Sql, (s) =>
        s.cold<{ person: string }>(
          "select person from identity where door = 'web' and external_user = '34'",
          [],
        ),
      ),
    )
    expect(row?.person).toBe("zp")
  })

  it("an account that is unlinked stands alone again, and the others stay together", async () => {
    const [a, b, c] = [account("tg", "13"), account("gh", "23"), account("web", "33")]
    await link(a, b)
    await link(a, c)
    expect(await ask((i) => i.unlink(b))).toBe(true)
    expect(await ask((i) => i.unlink(b))).toBe(false)
    expect(await accounts(b)).toEqual([b])
    expect(await accounts(a)).toEqual([a, c])
  })
})
