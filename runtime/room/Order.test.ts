import { expect, it } from "vitest"
import { modeIn, orderIn } from "./Order.ts"

it.each([
  ["stop", "stop"],
  [" Stop! ", "stop"],
  ["/stop", "stop"],
  ["/stop@troupe_bot", "stop"],
  ["@ada, stop", "stop"],
  ["@ada @bo please wait.", "wait"],
  ["hold on", "wait"],
  ["go on", "continue"],
  ["/continue", "continue"],
  ["Approve", "approve"],
  ["deny", "refuse"],
])("%s is the order to %s", (text, verb) => {
  expect(orderIn(text)).toEqual({ verb })
})

it("money is granted in dollars", () => {
  expect(orderIn("spend $1 more")).toEqual({ verb: "spend", dollars: 1 })
  expect(orderIn("Spend 2.50")).toEqual({ verb: "spend", dollars: 2.5 })
  expect(orderIn("spend $0")).toBeUndefined()
  expect(orderIn("spend $99999 more")).toBeUndefined()
})

it.each([
  "stop the server",
  "don't stop",
  "wait for the build, then continue",
  "how do I continue?",
  "ada@stop.example",
  "",
  "approve the pull request",
  "stop".repeat(60),
])("%j is no order", (text) => {
  expect(orderIn(text)).toBeUndefined()
})

it("words may say how they want to reach an agent at work", () => {
  expect(modeIn("/queue and then the docs")).toBe("queue")
  expect(modeIn("/Interrupt@troupe_bot not that one")).toBe("interrupt")
  expect(modeIn("/queue")).toBeUndefined()
  expect(modeIn("say /queue now")).toBeUndefined()
})
