/** What the server promises about its sandboxes, in sentences for the one who runs it. */
import type { Isolation } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"

export interface Status {
  readonly isolation: "bubblewrap" | "none" | "refused"
  /** To be shown in red: what is not safe, or why commands are refused. */
  readonly warning: string | undefined
  /** What holds a sandbox back, one sentence each. */
  readonly limits: ReadonlyArray<string>
  /** Commands that the last server on this home took with it. */
  readonly lost: ReadonlyArray<string>
}

export const noNetworks = "commands run without bubblewrap."

/** `apart`: why commands do not share a network; `cgroups`: why there are none. */
export const statusOf = (
  isolation: Isolation,
  limits: Limits,
  apart: string | undefined,
  cgroups: string | undefined,
): Omit<Status, "lost"> => {
  if (isolation._tag === "Refused") return { isolation: "refused", warning: isolation.reason, limits: [] }
  const ownUid = process.getuid?.() === 0
  const each = [
    `At most ${limits.processes} processes and threads ${ownUid ? "a sprite (RLIMIT_NPROC of its own user)" : "a command (RLIMIT_NPROC)"}.`,
    `At most ${limits.memoryBytes / 1024 ** 2} MiB of data a process (RLIMIT_DATA).`,
    `At most ${limits.fileBytes / 1024 ** 2} MiB a file (RLIMIT_FSIZE).`,
    `At most ${limits.diskBytes / 1024 ** 2} MiB and ${limits.diskEntries} files a sprite with its checkpoints, measured every few seconds.`,
    `At most ${limits.cpuSeconds} s of CPU time a command, ${limits.sessions} commands a sprite at once.`,
  ]
  if (isolation._tag === "Bubblewrap") {
    const memory = `At most ${limits.memoryBytes / 1024 ** 2} MiB of memory a sprite, ${cgroups === undefined ? "kept by the kernel (cgroup)" : `looked at four times a second (no cgroup: ${cgroups})`}.`
    const network =
      apart === undefined
        ? "No network but to the hosts that a sprite's policy allows, by its HTTP proxy."
        : `Each command has a network of its own with nothing in it, and no host can be allowed: ${apart}`
    const calls =
      isolation.filter === undefined
        ? "No filter of system calls on this machine."
        : "System calls that lead out of sandboxes are refused (seccomp): namespaces, mounts, io_uring, kernel keys, BPF, vsock."
    return { isolation: "bubblewrap", warning: undefined, limits: [...each, memory, network, calls] }
  }
  const user = ownUid
    ? "another user of this machine"
    : "the server's own user, who can read everything that the server can"
  return {
    isolation: "none",
    warning: `UNSAFE: commands of agents run on this machine without isolation, as ${user}, with its network and its files.`,
    limits: isolation.tools.prlimit === undefined ? [] : each,
  }
}
