/**
 * The system calls that a sandbox does not need and the kernel refuses it (seccomp): new namespaces, and with them being
 * root in one; mounts; io_uring, kernel keys, BPF, modules and the like, where most ways out of a sandbox were found; and
 * sockets of any family but Unix, IP and netlink, because some of them (vsock) reach past every network namespace.
 *
 * A classic BPF program for the two processors that Node is built for most; for another one there is none.
 */

const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97
const cloneNewUser = 0x1000_0000
/** Unix, IPv4, IPv6, netlink. */
const families = [1, 2, 10, 16]

interface Machine {
  /** How the kernel names the processor to a filter. */
  readonly audit: number
  readonly socket: number
  readonly clone: number
  readonly unshare: number
  readonly refused: ReadonlyArray<number>
}

/** The same numbers everywhere: open_tree to fspick, mount_setattr, quotactl_fd, io_uring. */
const shared = [428, 429, 430, 431, 432, 433, 442, 443, 425, 426, 427]

/**
 * In both lists: mount, umount2, pivot_root, chroot, setns, bpf, perf_event_open, userfaultfd, add_key, request_key,
 * keyctl, kexec_load, kexec_file_load, init_module, finit_module, delete_module, swapon, swapoff, reboot, acct, quotactl,
 * open_by_handle_at, settimeofday, clock_settime, clock_adjtime, adjtimex; then, on x64, iopl and ioperm.
 */
const machines: Readonly<Record<string, Machine>> = {
  x64: {
    audit: 0xc000_003e,
    socket: 41,
    clone: 56,
    unshare: 272,
    refused: [
      165, 166, 155, 161, 308, 321, 298, 323, 248, 249, 250, 246, 320, 175, 313, 176, 167, 168, 169, 163, 179, 304, 164,
      227, 305, 159, 172, 173, ...shared,
    ], // prettier-ignore
  },
  arm64: {
    audit: 0xc000_00b7,
    socket: 198,
    clone: 220,
    unshare: 97,
    refused: [
      40, 39, 41, 51, 268, 280, 241, 282, 217, 218, 219, 104, 294, 105, 273, 106, 224, 225, 142, 89, 60, 265, 170, 112,
      266, 171, ...shared,
    ], // prettier-ignore
  },
}
/** Its flags lie in memory, where a filter cannot look: programs fall back to `clone`. */
const clone3 = 435
/** Calls of a 64-bit kernel in the numbers of its 32-bit cousin. */
const x32 = 0x4000_0000

const load = 0x20
const jumpEqual = 0x15
const jumpAtLeast = 0x35
const jumpSet = 0x45
const give = 0x06
const allow = 0x7fff_0000
const errno = (number: number): number => 0x0005_0000 | number
/** Where the kernel puts what a filter may see. */
const at = { call: 0, processor: 4, first: 16 }

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

/** Undefined on a processor that it is not written for. */
export const filter = (architecture: string): Buffer | undefined => {
  const machine = machines[architecture]
  if (machine === undefined) return undefined
  const whenCall = (number: number, then: ReadonlyArray<Instruction>): ReadonlyArray<Instruction> => [
    [jumpEqual, 0, then.length, number],
    ...then,
  ]
  /** Not with a new user namespace; the answer ends the filter. */
  const noNewUser: ReadonlyArray<Instruction> = [
    [load, 0, 0, at.first],
    [jumpSet, 0, 1, cloneNewUser],
    [give, 0, 0, errno(EPERM)],
    [give, 0, 0, allow],
  ]
  const program: ReadonlyArray<Instruction> = [
    [load, 0, 0, at.processor],
    [jumpEqual, 1, 0, machine.audit],
    [give, 0, 0, errno(ENOSYS)],
    [load, 0, 0, at.call],
    [jumpAtLeast, 0, 1, x32],
    [give, 0, 0, errno(ENOSYS)],
    ...machine.refused.flatMap((number) => whenCall(number, [[give, 0, 0, errno(EPERM)]])),
    ...whenCall(clone3, [[give, 0, 0, errno(ENOSYS)]]),
    ...whenCall(machine.clone, noNewUser),
    ...whenCall(machine.unshare, noNewUser),
    ...whenCall(machine.socket, [
      [load, 0, 0, at.first],
      ...families.map((family, n): Instruction => [jumpEqual, families.length - n, 0, family]),
      [give, 0, 0, errno(EAFNOSUPPORT)],
    ]),
    [give, 0, 0, allow],
  ]
  return Buffer.concat(program.map(encoded))
}

const encoded = ([code, ifTrue, ifFalse, operand]: Instruction): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(operand, 4)
  return bytes
}
