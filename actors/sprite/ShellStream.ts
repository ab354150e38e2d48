/**
 * The shell's output, parted into marks and everything else. Marks count only when they carry a mark we wait for, so
 * nothing a command prints is taken for one by chance. Chunks may cut a mark anywhere.
 */
export type ShellMark =
  | { readonly kind: "home"; readonly mark: string; readonly home: string; readonly kept: boolean }
  | { readonly kind: "begin"; readonly mark: string }
  | { readonly kind: "stopped"; readonly mark: string; readonly why: "timeout" | "stop" }
  | { readonly kind: "end"; readonly mark: string; readonly code: number; readonly cwd: string }

const RS = 0x1e
const START = Buffer.from("\x1etroupe ")
/** A mark carries a path at most. */
const LONGEST = 8 * 1024

export class ShellStream {
  #pending: Buffer = Buffer.alloc(0)
  readonly #awaited: { has: (mark: string) => boolean }
  readonly #onText: (bytes: Uint8Array) => void
  readonly #onMark: (mark: ShellMark) => void

  /** **Contract:** the callbacks are called synchronously, in the order of the output; `awaited` may change between. */
  constructor(
    awaited: { has: (mark: string) => boolean },
    onText: (bytes: Uint8Array) => void,
    onMark: (mark: ShellMark) => void,
  ) {
    this.#awaited = awaited
    this.#onText = onText
    this.#onMark = onMark
  }

  push(chunk: Uint8Array): void {
    let data = Buffer.concat([this.#pending, chunk])
    this.#pending = Buffer.alloc(0)
    let from = 0
    while (data.length > 0) {
      const at = data.indexOf(RS, from)
      if (at < 0) return this.#onText(data)
      const rest = data.subarray(at)
      const head = rest.subarray(0, START.length)
      const end = rest.indexOf(0)
      if (
        !head.equals(START.subarray(0, head.length)) ||
        (end < 0 && rest.length > LONGEST) ||
        end > LONGEST
      ) {
        from = at + 1
        continue
      }
      if (end < 0) {
        if (at > 0) this.#onText(data.subarray(0, at))
        this.#pending = rest
        return
      }
      const mark = parse(rest.toString("utf8", START.length, end))
      if (mark === null || !this.#awaited.has(mark.mark)) {
        from = at + 1
        continue
      }
      if (at > 0) this.#onText(data.subarray(0, at))
      this.#onMark(mark)
      data = rest.subarray(end + 1)
      from = 0
    }
  }
}

const parse = (text: string): ShellMark | null => {
  const [, mark, kind, rest] = /^([0-9a-f]{16}) ([A-Z])(?: ([^]*))?$/.exec(text) ?? []
  if (mark === undefined) return null
  if (kind === "B") return { kind: "begin", mark }
  if (kind === "H")
    return { kind: "home", mark, home: (rest ?? "").slice(2), kept: rest?.startsWith("1") === true }
  if (kind === "T") return { kind: "stopped", mark, why: rest === "timeout" ? "timeout" : "stop" }
  const [, code, cwd] = /^(\d{1,3}) ([^]*)$/.exec(rest ?? "") ?? []
  return kind === "E" && code !== undefined ? { kind: "end", mark, code: Number(code), cwd: cwd ?? "" } : null
}
