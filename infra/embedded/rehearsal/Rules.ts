/**
 * The rehearsal's rules: from a request of the Messages API to an answer. Pure, and plain on purpose: it shows that
 * every line of the real path works without a key, and never passes for intelligence. Each answer in words is signed.
 */
import { freshId, say } from "../../emulators/anthropic/index.ts"
import type { MessagesRequest, Speech, WireBlock } from "../../emulators/anthropic/index.ts"
import { lastWords, toolOutcomes } from "./Words.ts"
import type { ToolOutcome } from "./Words.ts"

export const signature = "— rehearsal, not a model"

const noKey = "No model is connected; set ANTHROPIC_API_KEY and start again to talk to Claude."

/** What a line asks for; `text` is an answer in words. */
type Step =
  | {
      readonly tool: "shell" | "read_file" | "write_file" | "share_file"
      readonly values: ReadonlyArray<string>
    }
  | { readonly text: string }

export function answer(request: MessagesRequest): Speech {
  const team = /<triage>[^]*?<\/triage>/.exec(JSON.stringify(request.system ?? ""))?.[0]
  if (team !== undefined) return say(fitting(team, lastWords(request) ?? ""))
  const seen = toolOutcomes(request)
  const words = lastWords(request)
  const report = seen.map(receipt).join("\n\n")
  if (words === null) return signed(report === "" ? `I heard nothing. ${noKey}` : report)
  const steps = stepsFor(words)
  const uses = steps.flatMap((step) => ("tool" in step ? toolUse(step, request) : []))
  const said = steps.map((step) => ("tool" in step ? missing(step.tool, request) : step.text))
  const text = [report, ...said].filter((part) => part !== "").join("\n\n")
  if (uses.length === 0) return signed(text)
  return { content: text === "" ? uses : [{ type: "text", text }, ...uses] }
}

const signed = (text: string): Speech => say(`${text}\n\n${signature}`)

/** Who of a team is asked: the first whose cares are touched, else nobody. */
function fitting(team: string, words: string): string {
  const said = new Set(words.toLowerCase().match(/[\p{L}\p{N}_+#-]+/gu) ?? [])
  for (const [, name, cares = ""] of team.matchAll(/- @([\w-]+):[^;]*?(?:; cares for (.*?))?\\n/g)) {
    const touched = cares.split(", ").find((care) => said.has(care.toLowerCase()))
    if (touched !== undefined) return `@${name}: it cares for ${touched}`
  }
  return "nobody: no interest of the team is touched"
}

function stepsFor(words: string): ReadonlyArray<Step> {
  const text = withoutGreetedNames(words)
  const handOff = handOffIn(text)
  if (handOff !== null) return [{ text: handOff }]
  const steps = text.split("\n").flatMap((line) => command(withoutGreetedNames(line)))
  if (steps.length > 0) return steps
  return [{ text: isGreeting(text) ? help : echo(text) }]
}

/** `@ada, run: ls` is `run: ls` to ada. */
const withoutGreetedNames = (text: string): string => text.replace(/^(\s*@[\w-]+[,:]?)+\s*/, "").trim()

function command(line: string): ReadonlyArray<Step> {
  const run = /^run:\s*(\S.*)$/i.exec(line)
  if (run) return [{ tool: "shell", values: [run[1]!] }]
  const read = /^read:\s*(\S+)\s*$/i.exec(line)
  if (read) return [{ tool: "read_file", values: [read[1]!] }]
  const write = /^write:\s*(\S+)\s+(\S.*)$/i.exec(line)
  if (write) return [{ tool: "write_file", values: [write[1]!, write[2]!] }]
  const share = /^share:\s*(\S+)\s*$/i.exec(line)
  if (share) return [{ tool: "share_file", values: [share[1]!] }]
  return []
}

function handOffIn(text: string): string | null {
  const found =
    /\bhand\b.{0,20}?\b(?:off|over)\s+to\s+@([\w-]+)\s*[:,]?\s*([\s\S]+)/i.exec(text) ??
    /\b(?:ask|tell)\s+@([\w-]+)\s*[:,]?\s*(?:to\s+)?([\s\S]+)/i.exec(text)
  return found ? `@${found[1]} ${found[2]!.trim()}` : null
}

const isGreeting = (text: string): boolean =>
  text.length <= 60 &&
  /^(hi|hello|hey|hallo|moin|good (morning|afternoon|evening)|help|\/help|\/start|\?|what can you do)\b|^\?$/i.test(
    text,
  )

const help = [
  "Hello! I am the rehearsal: I follow a few plain rules so that you can try the whole company without a key.",
  "Type `run: <command>`, `read: <path>`, `write: <path> <text>`, `share: <path>` or `ask @name to ...`; for a real model set ANTHROPIC_API_KEY and start again.",
].join("\n")

/** Without `@`, so that repeating somebody's words calls nobody. */
const echo = (text: string): string => {
  const short = text.length > 300 ? `${text.slice(0, 300).trimEnd()} ...` : text
  return `I heard: "${short.replaceAll("@", "")}". ${noKey}`
}

const offered = (tool: string, request: MessagesRequest) => request.tools?.find(({ name }) => name === tool)

const missing = (tool: string, request: MessagesRequest): string =>
  offered(tool, request) ? "" : `I was asked to use \`${tool}\`, but this agent has no such tool.`

function toolUse(step: Extract<Step, { tool: string }>, request: MessagesRequest): ReadonlyArray<WireBlock> {
  const spec = offered(step.tool, request)
  if (spec === undefined) return []
  const names = inputNames(step.tool, spec["input_schema"])
  const input = Object.fromEntries(step.values.map((value, at) => [names[at], value]))
  return [{ type: "tool_use", id: freshId("toolu_rehearsal"), name: step.tool, input }]
}

const usual = {
  shell: [["command", "cmd", "script"]],
  read_file: [["path", "file"]],
  share_file: [["path", "file"]],
  write_file: [
    ["path", "file"],
    ["content", "text", "contents"],
  ],
} as const

/** The names the tool's own schema uses for the values, in order. */
function inputNames(tool: keyof typeof usual, schema: unknown): ReadonlyArray<string> {
  const properties = Object.keys((schema as { readonly properties?: object } | undefined)?.properties ?? {})
  return usual[tool].map((names) => names.find((name) => properties.includes(name)) ?? names[0])
}

const maxLines = 12

function receipt({ name, input, output, failed }: ToolOutcome): string {
  const what = Object.values(input).find((value) => typeof value === "string") ?? name
  const exit = /\bexit(?:ed)?(?:[ _]with)?(?:[ _](?:code|status))?\W{1,3}(\d+)/i.exec(output)?.[1]
  const verdict = exit !== undefined ? `exit code ${exit}` : failed ? "it failed" : "it worked"
  const lines = output.trim().split("\n")
  const shown = lines.slice(0, maxLines).join("\n")
  const rest = lines.length > maxLines ? `\n... and ${lines.length - maxLines} more lines` : ""
  const body = shown === "" ? "It printed nothing." : `\`\`\`\n${shown}${rest}\n\`\`\``
  return `\`${name}\`: ${what.split("\n")[0]} (${verdict})\n${body}`
}
