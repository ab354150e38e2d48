import { describe, expect, it } from "vitest"
import { clientMessage, duration, execRequest, frame, signalNamed } from "./Wire.ts"

describe("Wire", () => {
  it("reads Go durations and bare seconds as milliseconds", () => {
    const texts = ["0", "10", "1.5", "500ms", "30s", "1m30s", "2h", "1.5s", "x", "", "5 s", "-1s"]
    expect(texts.map(duration)).toEqual([
      0,
      10_000,
      1500,
      500,
      30_000,
      90_000,
      7_200_000,
      1500,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it("knows a signal by name, short name, lower case and number", () => {
    expect(["SIGTERM", "TERM", "sigterm", "15"].map(signalNamed)).toEqual(Array(4).fill("SIGTERM"))
    expect(signalNamed("NONSENSE")).toBeUndefined()
  })

  it("ignores messages that it does not know and sizes that cannot be", () => {
    const texts = [
      "",
      "[]",
      '{"type":"x"}',
      '{"type":"resize","cols":0,"rows":5}',
      '{"type":"signal","signal":"?"}',
    ]
    expect(texts.map((text) => clientMessage(text)._tag)).toEqual(Array(5).fill("Unknown"))
    expect(clientMessage('{"type":"resize","cols":80,"rows":5}')).toEqual({
      _tag: "Resize",
      cols: 80,
      rows: 5,
    })
  })

  it("puts one byte of stream id before the payload", () => {
    expect([...frame(3, Uint8Array.of(7))]).toEqual([3, 7])
  })

  it("lets a given environment replace the default, but for PATH and SHLVL", () => {
    const given = execRequest(new URLSearchParams("cmd=a&cmd=b+c&env=X=1=2&env=bad"), { Y: "sprite" })
    expect(given.argv).toEqual(["a", "b c"])
    expect(Object.keys(given.env).sort()).toEqual(["PATH", "SHLVL", "X"])
    expect(given.env["X"]).toBe("1=2")
    const standard = execRequest(new URLSearchParams("cmd=a"), { Y: "sprite" })
    expect(standard.env).toMatchObject({ Y: "sprite", HOME: "/home/sprite" })
  })

  it("gives a terminal for ever and anything else ten seconds when nobody is attached", () => {
    expect(execRequest(new URLSearchParams("cmd=a"), {}).detachedMillis).toBe(10_000)
    expect(execRequest(new URLSearchParams("cmd=a&tty=true"), {})).toMatchObject({
      detachedMillis: 0,
      terminal: { rows: 24, cols: 80 },
      stdin: true,
    })
  })

  it("refuses no command, a strange duration and NUL", () => {
    for (const query of ["", "cmd=a&max_run_after_disconnect=soon", "cmd=a%00b"]) {
      expect(() => execRequest(new URLSearchParams(query), {}), query).toThrow()
    }
  })
})
