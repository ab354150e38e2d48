/**
 * Named pipes for the input and output of commands. Node's own pipes are sockets, and a program that opens
 * /dev/stdout or /dev/stderr fails on a socket. The names lie in a directory that only the server may enter; a pipe is
 * used again once every process that held it is gone (the kernel drops what was left in it).
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import { join } from "node:path"

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

/** One direction of one command: `ours` is the server's end, `theirs` the descriptor to hand to the command. */
export interface Pipe {
  readonly ours: net.Socket
  readonly theirs: number
  /** Call when the command holds its own copy, or was never started. */
  readonly closeTheirs: () => void
  /** Call instead of `recycle` when nothing was started. */
  readonly discard: () => void
  /** Call when nobody can hold the other end any more. */
  readonly recycle: () => void
}

export class Pipes {
  readonly #directory: string
  #free: Array<string> = []
  #made = 0

  constructor(directory: string) {
    this.#directory = directory
    fs.mkdirSync(directory, { mode: 0o700 })
    this.#make()
  }

  input(): Pipe {
    const path = this.#take()
    const theirs = fs.openSync(path, O_RDONLY | O_NONBLOCK)
    const ours = fs.openSync(path, O_WRONLY | O_NONBLOCK)
    return this.#pipe(path, theirs, new net.Socket({ fd: ours, readable: false, writable: true }))
  }

  output(): Pipe {
    const path = this.#take()
    const ours = fs.openSync(path, O_RDONLY | O_NONBLOCK)
    const theirs = fs.openSync(path, O_WRONLY)
    return this.#pipe(path, theirs, new net.Socket({ fd: ours, readable: true, writable: false }))
  }

  #pipe(path: string, theirs: number, ours: net.Socket): Pipe {
    // A command that does not read its input closes it; that is its right.
    ours.on("error", () => ours.destroy())
    return {
      ours,
      theirs,
      closeTheirs: () => fs.closeSync(theirs),
      discard: () => {
        ours.destroy()
        this.#free.push(path)
      },
      recycle: () => this.#free.push(path),
    }
  }

  #take(): string {
    const path = this.#free.pop()
    if (path !== undefined) return path
    this.#make()
    return this.#take()
  }

  #make(): void {
    const paths = Array.from({ length: 24 }, () => join(this.#directory, String(this.#made++)))
    execFileSync("mkfifo", ["-m", "666", ...paths])
    this.#free = paths
  }
}
