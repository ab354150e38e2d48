import { describe, expect, it } from "vitest"
import { fromPostgres } from "./StoreError.ts"

const coded = (code: string) => Object.assign(new Error("said"), { code })

describe("what a failed statement means", () => {
  it.each([
    ["a full disk", "53100"],
    ["too many connections", "53300"],
    ["a server that starts up", "57P03"],
    ["a server that was told to stop", "57P01"],
    ["a broken connection", "08006"],
    ["a deadlock", "40P01"],
    ["a closed socket", "CONNECTION_CLOSED"],
    ["nobody listening", "ECONNREFUSED"],
  ])("%s: the store is away, wait and repeat", (_, code) =>
    expect(fromPostgres(coded(code)).kind).toBe("unavailable"),
  )

  it.each([
    ["bytes that are no text", "22021"],
    ["a second row of one key", "23505"],
    ["a column that is not there", "42703"],
  ])("%s: this row can never be written", (_, code) => expect(fromPostgres(coded(code)).kind).toBe("refused"))

  it("keeps what the server said, and the code", () =>
    expect(fromPostgres(coded("53100")).message).toBe("said (53100)"))
})
