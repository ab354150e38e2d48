/** The scene on a terminal: the chat as people saw it, then the bus. */
import { stdout } from "node:process"
import type { Played } from "./Scene.ts"

const colour = (code: number, text: string) => (stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = (text: string) => colour(1, text)
const dim = (text: string) => colour(2, text)

export const show = ({ transcript, subjects }: Played): string => {
  const names = new Map(transcript.map((m) => [m.id, m.from.name]))
  const chat = transcript.flatMap((m) => {
    const answers = m.replyTo === null ? "" : dim(`  answers ${names.get(m.replyTo) ?? "a message"}`)
    const grew = m.edits.length === 0 ? "" : dim(`  edited ${m.edits.length}x`)
    return [
      `  ${bold(m.from.name.padEnd(8))}${answers}${grew}`,
      ...(m.file === null ? [] : [`           [${m.file.stored.name}, ${m.file.stored.bytes.length} bytes]`]),
      ...m.text.split("\n").map((line) => `           ${line}`),
      "",
    ]
  })
  return [
    "",
    `  ${bold("What the group saw")}`,
    "",
    ...chat,
    `  ${bold("What passed on the bus")}  ${dim("(read with the read-only inspector user)")}`,
    "",
    ...heard(subjects),
    "",
    `  ${bold("Your turn")}  npm start, open the printed link, and say: @ada run: uname -a`,
    "",
  ].join("\n")
}

/** Each room once, with the kinds of what happened in it, in order. */
const heard = (subjects: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rooms = new Map<string, Array<string>>()
  for (const subject of subjects) {
    const at = subject.lastIndexOf(".")
    const room = subject.slice(0, at)
    rooms.set(room, [...(rooms.get(room) ?? []), subject.slice(at + 1)])
  }
  return [...rooms].flatMap(([room, kinds]) => [
    `  ${room}.*`,
    ...rows(kinds, 8).map((row) => `    ${row.join(dim(" > "))}`),
  ])
}

const rows = (items: ReadonlyArray<string>, length: number): ReadonlyArray<ReadonlyArray<string>> =>
  items.length === 0 ? [] : [items.slice(0, length), ...rows(items.slice(length), length)]
