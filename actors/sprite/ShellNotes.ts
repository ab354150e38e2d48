/** What the agent is told beside the output, in plain sentences. */
import type { ShellCommand } from "./ShellCommand.ts"
import { visibleText, capText } from "./VisibleText.ts"

/** How the wait for a typed command ended. */
export type Outcome =
  | { readonly kind: "ended"; readonly code: number; readonly cwd: string }
  /** The shell itself ended. */
  | { readonly kind: "exited"; readonly code: number }
  /** The connection broke; the shell may go on. */
  | { readonly kind: "broken" }
  /** The shell could not be reached again. */
  | { readonly kind: "unknown" }
  /** Neither the command nor the guard ended in time. */
  | { readonly kind: "overdue" }
  /** The command never began: the shell does not read. */
  | { readonly kind: "deaf" }

export const resultNotes = (
  command: ShellCommand,
  outcome: Outcome,
  timedOut: boolean,
  timeoutMs: number,
): ReadonlyArray<string> => {
  const notes: Array<string> = []
  const shell =
    outcome.kind === "ended" ? "" : " The shell had to be ended with it; the next command gets a new one."
  if (timedOut) notes.push(`The command was stopped after ${timeoutMs / 1000} s (its time limit).${shell}`)
  else if (command.isFlooded)
    notes.push(
      `The command was stopped because it printed more than 64 MiB.${shell} Write such output to a file.`,
    )
  else if (command.stopped === "stop") notes.push(`The command was stopped on request.${shell}`)
  else if (outcome.kind === "exited")
    notes.push(
      outcome.code >= 128
        ? `The shell was killed (exit code ${outcome.code}). The next command gets a new shell in the last directory.`
        : "The command ended the shell itself (exit, exec or set -e). The next command gets a new shell in the same directory.",
    )
  if (outcome.kind === "unknown" || outcome.kind === "broken")
    notes.push(
      "The shell was lost while the command ran: whether it finished is unknown. Check before repeating it.",
    )
  if (outcome.kind === "deaf") notes.push("The shell did not take the command; it was not run.")
  if (command.gap)
    notes.push("The connection broke while the command ran: parts of its output may be missing or doubled.")
  return notes
}

/** About a command that was found unfinished, with the end of its output. */
export const leftoverNote = (
  command: ShellCommand,
  of: "crash" | "interruption",
  code: number | null,
): string => {
  const what =
    of === "crash"
      ? "The command that was running when the runtime stopped"
      : "The interrupted command before this one"
  const how =
    code === null
      ? "was still running and has been stopped: its outcome is unknown, check before repeating it"
      : `has ended meanwhile with exit code ${code}`
  const said = capText(
    visibleText(command.output.parts.last.subarray(-2000)) || shownHead(command),
    1000,
    null,
  ).trim()
  return `${what} ${how}.${said === "" ? "" : ` Its last output:\n${said}`}`
}

const shownHead = (command: ShellCommand): string => visibleText(command.output.parts.first.subarray(-2000))
