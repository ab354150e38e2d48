/** Starts commands in the sandbox of a sprite: what all who start one share. */
import type { Isolation, Mount } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"
import { proxyEnvironment } from "./network/Egress.ts"
import type { Networks } from "./network/Networks.ts"
import type { Pipes } from "./Pipes.ts"
import { type Listener, type Running, start } from "./Process.ts"
import type { Sprite, SpriteStore } from "./SpriteStore.ts"
import type { Cgroups } from "./quotas/Cgroups.ts"
import { WireError } from "./Wire.ts"

export interface Wanted {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  readonly terminal: { readonly rows: number; readonly cols: number } | undefined
  readonly stdin: boolean
  readonly mounts?: ReadonlyArray<Mount>
  /** Code of ours, which runs on Node and so needs room for its data whatever a sprite may use. */
  readonly helper?: boolean
}

const helperBytes = 2 * 1024 ** 3

export class Launcher {
  readonly isolation: Isolation
  readonly limits: Limits
  readonly store: SpriteStore
  readonly #pipes: Pipes
  readonly #networks: Networks | undefined
  readonly #cgroups: Cgroups | undefined
  readonly #isFull: (name: string) => boolean

  /**
   * Without `networks` every command has a network of its own. What is started in a sprite for which `isFull` holds may
   * write no file.
   */
  constructor(
    isolation: Isolation,
    limits: Limits,
    store: SpriteStore,
    pipes: Pipes,
    networks: Networks | undefined,
    cgroups: Cgroups | undefined,
    isFull: (name: string) => boolean,
  ) {
    this.isolation = isolation
    this.limits = limits
    this.store = store
    this.#pipes = pipes
    this.#networks = networks
    this.#cgroups = cgroups
    this.#isFull = isFull
  }

  readonly memoryBytes = ({ memoryMegabytes }: Sprite): number =>
    memoryMegabytes === undefined
      ? this.limits.memoryBytes
      : Math.min(this.limits.memoryBytes, memoryMegabytes * 1024 ** 2)

  get sharesNetwork(): boolean {
    return this.#networks !== undefined
  }

  /** To be awaited before `run`; rejects with a WireError. */
  async prepare(sprite: Sprite): Promise<void> {
    await this.#networks?.ready(sprite.name).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new WireError(503, "unavailable", `${sprite.name} gets no network: ${why}. Try again.`)
    })
  }

  /** All that runs in it must be gone. */
  dismantle(name: string): void {
    this.#networks?.end(name)
    this.#cgroups?.end(name)
  }

  run(sprite: Sprite, wanted: Wanted, listener: Listener): Running {
    const memoryBytes = this.memoryBytes(sprite)
    const cgroups = this.#cgroups
    const network = this.#networks?.of(sprite.name)
    // Never a command outside the network of its sprite: without one it gets a network of its own.
    const box = {
      name: sprite.name,
      uid: sprite.uid,
      directories: this.store.directories(sprite),
      network,
    }
    return start(
      {
        isolation: this.isolation,
        limits: {
          ...this.limits,
          ...(wanted.helper === true && { memoryBytes: Math.max(helperBytes, this.limits.memoryBytes) }),
          ...(this.#isFull(sprite.name) && { fileBytes: 0 }),
        },
        launched: cgroups && ((pid) => cgroups.join(sprite.name, pid, memoryBytes)),
        pipes: this.#pipes,
        box,
        // A command that was given proxies of its own keeps them.
        command: network === undefined ? wanted : { ...wanted, env: { ...proxyEnvironment, ...wanted.env } },
        input: wanted.stdin,
      },
      listener,
    )
  }
}
