/**
 * One running command: its plan started, its pipes joined, its signals delivered.
 *
 * - Output is drained before `ended` is told, so that a fast command loses nothing.
 * - `ended` is told exactly once. Death by signal N is 128 + N.
 * - When the command ends, everything that it started ends with it, because its process namespace goes. Without
 *   bubblewrap only its process group does.
 * - A command that cannot be started says why on stderr and ends with 126.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { type Readable, Writable } from "node:stream"
import { type Box, type Command, type Isolation, plan, type Plan } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"
import type { Pipe, Pipes } from "./Pipes.ts"
import { foregroundGroups, resizeTerminal } from "./Terminal.ts"
import { ended, type OutputStream, signalNumber, stream } from "./Wire.ts"

/** What a process does not close by itself must not reach a sandbox: descriptors that our own parent left open. */
const inherited: ReadonlyArray<number> = leakedDescriptors()

/** A program that left its group may hold the output open; after this long we stop listening to it. */
const drainMillis = 1000

export interface Listener {
  readonly output: (stream: OutputStream, bytes: Buffer) => void
  readonly ended: (code: number) => void
}

export interface Running {
  readonly write: (bytes: Uint8Array) => void
  readonly endInput: () => void
  /** Bytes of input that the command has not taken yet. */
  readonly pendingInput: () => number
  readonly pause: () => void
  readonly resume: () => void
  /** Signals the whole group; KILL ends everything that the command started. */
  readonly signal: (signal: NodeJS.Signals) => void
  readonly resize: (rows: number, cols: number) => void
  /** Of the launcher, for messages. */
  readonly pid: number | undefined
  /**
   * Process 1 of the sandbox, as the host numbers it; undefined without bubblewrap, and before the command runs: until
   * then its root directory may still be the host's.
   */
  readonly namespacePid: () => number | undefined
}

export interface Launch {
  readonly isolation: Isolation
  readonly box: Box
  readonly command: Command
  readonly limits: Limits
  readonly pipes: Pipes
  readonly input: boolean
  /** Called before the launcher starts anything. */
  readonly launched?: ((pid: number) => void) | undefined
}

export const start = (launch: Launch, listener: Listener): Running => {
  const { isolation } = launch
  if (isolation._tag === "Refused") return cannotStart(isolation.reason, listener)
  if (launch.command.terminal !== undefined && isolation.tools.script === undefined) {
    return cannotStart(
      "There is no terminal here: the program `script` (package bsdutils) is missing.",
      listener,
    )
  }
  const planned = plan(isolation, launch.box, launch.command, launch.limits)
  const input = launch.input ? launch.pipes.input() : undefined
  const output = launch.pipes.output()
  const errors = launch.pipes.output()
  const pipes = [output, errors, ...(input === undefined ? [] : [input])]
  const devNull = inherited.length === 0 ? -1 : fs.openSync("/dev/null", "r+")
  const stdio: Array<"ignore" | "pipe" | number> = [input?.theirs ?? "ignore", output.theirs, errors.theirs]
  stdio.push(
    ...(planned.options === undefined ? (["ignore", "ignore"] as const) : (["pipe", "pipe"] as const)),
    "pipe",
  )
  const filter = planned.filter === undefined ? undefined : fs.openSync(planned.filter, "r")
  if (filter !== undefined) stdio[6] = filter
  for (const descriptor of inherited) {
    while (stdio.length < descriptor) stdio.push("ignore")
    stdio[descriptor] ??= devNull
  }
  const child = spawned(planned, stdio, isolation._tag === "Unsafe" ? launch.box.directories.home : "/")
  for (const pipe of pipes) pipe.closeTheirs()
  for (const descriptor of [devNull, filter ?? -1]) if (descriptor !== -1) fs.closeSync(descriptor)
  if (child instanceof Error) {
    for (const pipe of pipes) pipe.discard()
    return cannotStart(`The command could not be started: ${child.message}`, listener)
  }

  if (child.pid !== undefined) {
    yieldToServer(child.pid)
    launch.launched?.(child.pid)
  }
  const state: State = { child, namespacePid: undefined, waiting: [], phase: "starting" }
  const terminal = launch.command.terminal !== undefined
  const deliver = (signal: NodeJS.Signals) => send(isolation, state, terminal, signal)
  if (planned.options !== undefined) handOver(child, planned.options, state)
  whenReady(child, state)

  listen(launch, child, output, errors, state, {
    output: listener.output,
    ended: (code, drained) => {
      input?.ours.destroy()
      if (drained) for (const pipe of pipes) pipe.recycle()
      listener.ended(code)
    },
  })

  return {
    write: (bytes) => {
      if (input?.ours.writable === true) input.ours.write(bytes)
    },
    endInput: () => input?.ours.end(),
    pendingInput: () => input?.ours.writableLength ?? 0,
    pause: () => void (output.ours.pause(), errors.ours.pause()),
    resume: () => void (output.ours.resume(), errors.ours.resume()),
    signal: deliver,
    resize: (rows, cols) => {
      const apply = () => {
        const at = isolation._tag === "Unsafe" ? child.pid : state.namespacePid
        if (state.phase === "running" && at !== undefined)
          resizeTerminal(isolation, launch.box.uid, at, rows, cols)
      }
      if (state.phase === "starting") state.waiting.push(apply)
      else apply()
    },
    pid: child.pid,
    namespacePid: () => (state.phase === "running" ? state.namespacePid : undefined),
  }
}

/** Node throws for some failures (a too long argument) and emits others. */
const spawned = (planned: Plan, stdio: StdioOptions, cwd: string): ChildProcess | Error => {
  try {
    return spawn(planned.file, planned.args, {
      cwd,
      env: planned.env,
      stdio,
      detached: true,
      ...(planned.uid === undefined ? {} : { uid: planned.uid, gid: planned.uid }),
    })
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

interface State {
  readonly child: ChildProcess
  namespacePid: number | undefined
  /** What came before the command could be reached: a signal would be lost, a size be overwritten. */
  readonly waiting: Array<() => void>
  phase: "starting" | "running" | "over"
}

const send = (isolation: Isolation, state: State, terminal: boolean, signal: NodeJS.Signals): void => {
  const { pid } = state.child
  if (state.phase === "over" || pid === undefined) return
  if (signal === "SIGKILL" && isolation._tag === "Bubblewrap") {
    if (state.namespacePid === undefined) kill(-pid, signal)
    else kill(state.namespacePid, signal)
  } else if (state.phase === "starting" && signal !== "SIGKILL") {
    state.waiting.push(() => send(isolation, state, terminal, signal))
  } else {
    const leader = isolation._tag === "Unsafe" ? pid : (state.namespacePid ?? pid)
    const groups = terminal ? foregroundGroups(leader) : [leader]
    for (const group of groups.length === 0 ? [leader] : groups) kill(-group, signal)
  }
}

/** Gives bubblewrap its options and learns the number of the sandbox's first process. */
const handOver = (child: ChildProcess, options: Buffer, state: State) => {
  const toLauncher = child.stdio[3]
  if (toLauncher instanceof Writable) toLauncher.on("error", () => {}).end(options)
  let text = ""
  child.stdio[4]
    ?.on("error", () => {})
    .on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1")
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1]
      if (pid !== undefined) state.namespacePid = Number(pid)
    })
}

/** The number of the first process is written long before the command runs, but on another pipe. */
const whenReady = (child: ChildProcess, state: State) => {
  const streams: ReadonlyArray<Readable | Writable | null | undefined> = child.stdio
  streams[5]
    ?.on("error", () => {})
    .once("data", () =>
      setImmediate(() => {
        if (state.phase === "starting") state.phase = "running"
        for (const action of state.waiting.splice(0)) action()
      }),
    )
}

const listen = (
  launch: Launch,
  child: ChildProcess,
  output: Pipe,
  errors: Pipe,
  state: State,
  listener: { readonly output: Listener["output"]; readonly ended: (code: number, drained: boolean) => void },
): void => {
  let open = 2
  let code: number | undefined
  let timer: NodeJS.Timeout | undefined
  let told = false
  const settle = (drained: boolean) => {
    if (told || code === undefined) return
    told = true
    clearTimeout(timer)
    output.ours.destroy()
    errors.ours.destroy()
    listener.ended(code, drained)
  }
  const closed = () => {
    open--
    if (open === 0) settle(true)
  }
  output.ours.on("data", (bytes: Buffer) => listener.output(stream.stdout, bytes)).on("close", closed)
  errors.ours.on("data", (bytes: Buffer) => listener.output(stream.stderr, bytes)).on("close", closed)
  child.on("exit", (exitCode, signal) => {
    state.phase = "over"
    code = exitCode ?? 128 + signalNumber(signal ?? "SIGKILL")
    if (launch.isolation._tag === "Unsafe" && child.pid !== undefined) kill(-child.pid, "SIGKILL")
    if (open === 0) settle(true)
    else timer = setTimeout(() => settle(false), drainMillis)
  })
  child.on("error", (cause) => {
    if (child.pid !== undefined) return
    state.phase = "over"
    listener.output(stream.stderr, Buffer.from(`The command could not be started: ${cause.message}\n`))
    code = ended.cannotStart
    settle(false)
  })
}

const cannotStart = (reason: string, listener: Listener): Running => {
  setImmediate(() => {
    listener.output(stream.stderr, Buffer.from(`${reason}\n`))
    listener.ended(ended.cannotStart)
  })
  const nothing = () => {}
  return {
    write: nothing,
    endInput: nothing,
    pendingInput: () => 0,
    pause: nothing,
    resume: nothing,
    signal: nothing,
    resize: nothing,
    pid: undefined,
    namespacePid: () => undefined,
  }
}

/** Whatever a sandbox computes, the server and its neighbours come first. */
const yieldToServer = (pid: number): void => {
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    return
  }
}

/** A process that is already gone is what we wanted. */
const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    return
  }
}

function leakedDescriptors(): ReadonlyArray<number> {
  const directory = "/proc/self/fdinfo"
  if (!fs.existsSync(directory)) return []
  return fs
    .readdirSync(directory)
    .map(Number)
    .filter((descriptor) => descriptor > 5 && !closesOnExec(join(directory, String(descriptor))))
}

function closesOnExec(info: string): boolean {
  const flags = fs.existsSync(info) ? /flags:\s*(\d+)/.exec(fs.readFileSync(info, "utf8"))?.[1] : undefined
  return flags === undefined || (Number.parseInt(flags, 8) & 0o2000000) !== 0
}
