/** The contract of `SessionStore` as tests; the memory layer and the Postgres layer run it. */
import { afterAll, describe, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { newId } from "../../runtime/index.ts"
import type { AgentId, ThreadId } from "../../runtime/index.ts"
import { SessionStore } from "./SessionStore.ts"
import type { SessionRow } from "./SessionStore.ts"

export const suite = (name: string, layer: Layer.Layer<SessionStore, unknown>): void => {
  describe(`SessionStore: ${name}`, () => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())
    const run = <A>(use: (store: SessionStore["Service"]) => Effect.Effect<A, unknown>) =>
      runtime.runPromise(Effect.flatMap(SessionStore, use))
    const row = (agent: AgentId): SessionRow => ({
      agent,
      thread: newId<ThreadId>(1),
      machine: "troupe-ws-x",
      session: "17",
      cwd: "/home/sprite/it's here",
      state: "running:0123456789abcdef:fedcba9876543210",
      lastUsedAt: "2026-01-02T03:04:05.678Z",
    })

    it("gives back what was saved, and null for what was not", async () => {
      const saved = row(newId<AgentId>(1))
      expect(await run((store) => store.load(saved.agent, saved.thread))).toBe(null)
      await run((store) => store.save(saved))
      expect(await run((store) => store.load(saved.agent, saved.thread))).toEqual(saved)
      expect(await run((store) => store.load(saved.agent, newId<ThreadId>(2)))).toBe(null)
    })

    it("replaces a row, lists all, and removes one", async () => {
      const agent = newId<AgentId>(1)
      const [one, two] = [row(agent), row(agent)]
      await run((store) => store.save(one))
      await run((store) => store.save(two))
      const closed = { ...one, session: "", state: "closed", cwd: "/" }
      await run((store) => store.save(closed))
      const of = (rows: ReadonlyArray<SessionRow>) => rows.filter((other) => other.agent === agent)
      expect(of(await run((store) => store.all))).toEqual(expect.arrayContaining([closed, two]))
      expect(of(await run((store) => store.all))).toHaveLength(2)
      await run((store) => store.remove(one.agent, one.thread))
      await run((store) => store.remove(one.agent, one.thread))
      expect(of(await run((store) => store.all))).toEqual([two])
    })
  })
}
