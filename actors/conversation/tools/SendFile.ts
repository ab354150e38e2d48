/**
 * Copies a file from the agent's computer to another agent's, into `inbox/<from>/`: the only way files move between sandboxes.
 * The receipt in the room says what went where; the same copy again changes nothing.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Roster } from "../../../runtime/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { inPlace } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import { TurnContext, type Tool } from "./Tool.ts"

const Input = Schema.Struct({
  agent: Schema.String.annotate({ description: "The handle of an agent in this room, without @." }),
  path: Schema.String.annotate({ description: "The file on your computer." }),
})

/** Bytes. */
const largest = 20_000_000

export const sendFileTool = (shell: Shell["Service"], roster: Roster["Service"]): Tool =>
  schemaTool({
    name: "send_file",
    description:
      "Copies a file from your computer to another agent's, as ~/inbox/<your handle>/<name>. Tell them where it is.",
    input: Input,
    idempotent: true,
    parallel: false,
    summary: ({ agent, path }) => `${path} -> @${agent.replace(/^@/, "")}`,
    run: ({ agent: handle, path }) =>
      Effect.gen(function* () {
        const turn = yield* TurnContext
        const name = handle.replace(/^@/, "").toLowerCase()
        const to = roster
          .now()
          .doors.get(turn.door)
          ?.members.find((m) => m.agent.name.toLowerCase() === name && m.agent.id !== turn.agent)?.agent
        if (to === undefined) return yield* new Refusal({ message: `Nobody else here is called @${name}.` })
        const place = yield* inPlace(shell, path)
        const bytes = yield* place.machine.readFile(place.path)
        if (bytes.length > largest)
          return yield* new Refusal({
            message: `The file has ${bytes.length} bytes; at most ${largest} can be copied.`,
          })
        const theirs = yield* shell.place(to.id, turn.thread)
        const file = `${theirs.home}/inbox/${turn.agentName}/${place.path.slice(place.path.lastIndexOf("/") + 1)}`
        yield* theirs.machine.writeFile(file, bytes)
        return done(`Copied ${bytes.length} bytes to ${file} on @${to.name}'s computer.`)
      }),
  })
