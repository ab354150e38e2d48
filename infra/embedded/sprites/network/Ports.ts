/** Which TCP ports of a sprite take connections, read from the kernel's table of its network. */
import * as fs from "node:fs"
import type { WebSocket } from "ws"
import type { Session } from "../Session.ts"
import { egressPort } from "./Egress.ts"

const lookMillis = 500
const listening = "0A"

interface Port {
  readonly port: number
  readonly address: string
  readonly pid: number
}

/** Any command of a sprite shows the network of all of them. */
export const listeningPorts = (sessions: ReadonlyArray<Session>): ReadonlyArray<Port> => {
  const first = sessions.map((session) => session.namespacePid).find((pid) => pid !== undefined)
  if (first === undefined) return []
  const found = new Map<number, Port>()
  for (const table of ["tcp", "tcp6"]) {
    for (const line of read(`/proc/${first}/net/${table}`).split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
      const port = Number.parseInt(local.split(":")[1] ?? "", 16)
      if (state !== listening || port === egressPort || found.has(port)) continue
      found.set(port, { port, address: "127.0.0.1", pid: ownerOf(inode, sessions) })
    }
  }
  return [...found.values()].sort((a, b) => a.port - b.port)
}

export const watchPorts = (socket: WebSocket, sessions: () => ReadonlyArray<Session>): void => {
  const send = (type: string, value: object) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ type, ...value }))
  }
  let known = listeningPorts(sessions())
  send("port_list", { ports: known.map((port) => ({ type: "port_opened", ...port })) })
  const look = setInterval(() => {
    const now = listeningPorts(sessions())
    const missing = (from: ReadonlyArray<Port>, port: Port) => !from.some((other) => other.port === port.port)
    for (const port of now) if (missing(known, port)) send("port_opened", port)
    for (const port of known) if (missing(now, port)) send("port_closed", port)
    known = now
  }, lookMillis)
  socket.on("error", () => socket.terminate()).on("close", () => clearInterval(look))
}

/** The process as its own command numbers it; 0 where it cannot be seen. */
const ownerOf = (inode: string, sessions: ReadonlyArray<Session>): number => {
  for (const { namespacePid } of sessions) {
    if (namespacePid === undefined) continue
    const directory = `/proc/${namespacePid}/root/proc`
    for (const entry of list(directory)) {
      if (!/^\d+$/.test(entry)) continue
      const holds = list(`${directory}/${entry}/fd`).some(
        (descriptor) => link(`${directory}/${entry}/fd/${descriptor}`) === `socket:[${inode}]`,
      )
      if (holds) return Number(entry)
    }
  }
  return 0
}

const attempt = <A>(run: () => A, otherwise: A): A => {
  try {
    return run()
  } catch {
    return otherwise
  }
}
const read = (path: string): string => attempt(() => fs.readFileSync(path, "utf8"), "")
const list = (path: string): ReadonlyArray<string> => attempt(() => fs.readdirSync(path), [])
const link = (path: string): string => attempt(() => fs.readlinkSync(path), "")
