import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { testDirectory } from "../testing/index.ts"
import { openHome } from "./Home.ts"
import { noteOutsiders } from "./OutsiderFile.ts"

it("on another server the file says all but the password, and keeps what was written in", async () => {
  const path = join(testDirectory(), "home")
  const file = join(path, "nats/eve.json")
  const read = () => JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>
  const eve = (say: string) => ({
    id: "e",
    name: "eve",
    may: { publish: [], subscribe: [] },
    about: { say },
  })
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const note = noteOutsiders(yield* openHome(path), "nats://nats.example.com:4222")
        yield* note([eve("one")])
        expect(read()).toMatchObject({
          url: "nats://nats.example.com:4222",
          user: "eve",
          password: "",
          say: "one",
        })
        writeFileSync(file, JSON.stringify({ ...read(), password: "given" }))
        yield* note([eve("two")])
        expect(read()).toMatchObject({ password: "given", say: "two" })
      }),
    ),
  )
})
