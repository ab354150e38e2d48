import { expect, it } from "vitest"
import { unifiedDiff } from "./UnifiedDiff.ts"

it("shows a change with its surroundings", () => {
  expect(unifiedDiff("/f", "a\nb\nc\n", "a\nB\nc\n")).toBe(
    "--- /f\n+++ /f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
  )
  expect(unifiedDiff("/f", "a", "a")).toContain("unchanged")
})

it("gives up on a change that would hold up everyone else", () => {
  const text = (seed: number) =>
    Array.from({ length: 60_000 }, (_, i) => `${(i * 7919 * seed) % 104_729}`).join("\n")
  const started = performance.now()
  expect(unifiedDiff("/f", text(1), text(3))).toContain("too large to show")
  expect(performance.now() - started).toBeLessThan(3_000)
})
