/** What is not as it should be in the chat, one phrase each: people see every question answered once, by the one they asked. */
import type { Seen } from "../emulators/telegram/index.ts"

export interface Asked {
  /** The number of the question in the chat. */
  readonly message: number
  readonly agent: string
  /** How the answer ends, where it is not the model's. */
  readonly says?: RegExp
}

/** Answers of the rehearsal model carry its mark; words that are still growing do not. */
export const isFinal = (text: string) => text.includes("rehearsal, not a model")

export const faultsIn = (
  transcript: ReadonlyArray<Seen>,
  asked: ReadonlyArray<Asked>,
): ReadonlyArray<string> => {
  // Files are shown beside the answer.
  const said = transcript.filter((m) => m.from.isBot && m.file === null)
  const faults = asked.flatMap(({ message, agent, says }) => {
    const answers = said.filter((m) => m.replyTo === message)
    const [answer] = answers
    if (answer === undefined) return [`message ${message} has no answer`]
    if (answers.length > 1) return [`message ${message} has ${answers.length} answers`]
    if (!(says?.test(answer.text) ?? isFinal(answer.text)))
      return [`the answer to message ${message} is not finished`]
    return answer.text.startsWith(`${agent}\n`) ? [] : [`message ${message} was not answered by ${agent}`]
  })
  const questions = new Set(asked.map((a) => a.message))
  const strays = said.filter((m) => m.replyTo === null || !questions.has(m.replyTo))
  return strays.length === 0 ? faults : [...faults, `${strays.length} messages answer nothing that was asked`]
}
