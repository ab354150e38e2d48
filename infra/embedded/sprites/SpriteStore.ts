/**
 * The sprites on disk: `<root>/<name>/` holds `home` and `tmp` (seen inside as /home/sprite and /tmp), `etc` (who the
 * sandbox's user is), `checkpoints`, and what the server knows of it (`sprite.json` and others). A server that starts on the same root finds the same sprites.
 * When the server is root every sprite has a uid of its own, so that the kernel counts processes per sprite.
 */
import { spawn } from "node:child_process"
import { createHash, randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Rule } from "./network/EgressPolicy.ts"
import { invalid, jsonObject, notFound } from "./Wire.ts"

export interface Sprite {
  readonly id: string
  readonly name: string
  /** undefined: commands run as the server's own user. */
  readonly uid: number | undefined
  readonly createdAt: string
  readonly updatedAt: string
  readonly labels: ReadonlyArray<string>
  readonly urlSettings: unknown
  readonly environment: Readonly<Record<string, string>>
  readonly config: unknown
  readonly networkRules: ReadonlyArray<Rule>
  /** As it was set; undefined when it never was. */
  readonly privileges: unknown
  /** Below the server's own limit. */
  readonly memoryMegabytes: number | undefined
}

export interface Directories {
  readonly home: string
  readonly tmp: string
  readonly etc: string
}

export interface Changes {
  readonly labels?: ReadonlyArray<string>
  readonly urlSettings?: unknown
  readonly environment?: Readonly<Record<string, string>>
  readonly config?: unknown
  readonly networkRules?: ReadonlyArray<Rule>
  readonly privileges?: unknown
  readonly memoryMegabytes?: number | undefined
}

export class SpriteStore {
  readonly #root: string
  readonly #firstUid: number
  readonly #sprites = new Map<string, Sprite>()
  /** Told the name of a sprite whose state may be another one now. */
  readonly watchers = new Set<(name: string) => void>()

  constructor(root: string) {
    this.#root = root
    this.#firstUid = firstUid(root)
    fs.mkdirSync(root, { recursive: true, mode: 0o711 })
    for (const entry of fs.readdirSync(root)) {
      if (entry.startsWith(".")) removeTree(join(root, entry))
      else this.#read(entry)
    }
  }

  create(name: unknown, changes: Changes): Sprite {
    if (typeof name !== "string" || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
      throw invalid(
        "A sprite's name is 1 to 63 lower-case letters, digits and dashes, and starts and ends without a dash.",
      )
    }
    if (this.#sprites.has(name)) throw invalid(`The name ${name} is taken.`)
    const now = new Date().toISOString()
    const sprite: Sprite = {
      id: `sprite-${randomUUID()}`,
      name,
      uid: process.getuid?.() === 0 ? this.#freeUid() : undefined,
      createdAt: now,
      updatedAt: now,
      labels: changes.labels ?? [],
      urlSettings: changes.urlSettings ?? { auth: "sprite" },
      environment: changes.environment ?? {},
      config: changes.config,
      networkRules: [],
      privileges: undefined,
      memoryMegabytes: undefined,
    }
    fs.mkdirSync(join(this.#root, name), { mode: 0o711 })
    makeDirectories(this.directories(sprite), sprite.uid)
    this.#write(sprite)
    return sprite
  }

  get(name: string): Sprite {
    const sprite = this.#sprites.get(name)
    if (sprite === undefined) throw notFound(`sprite called ${name}`)
    return sprite
  }

  has(name: string): boolean {
    return this.#sprites.has(name)
  }

  update(name: string, changes: Changes): Sprite {
    const sprite = { ...this.get(name), ...changes, updatedAt: new Date().toISOString() }
    this.#write(sprite)
    return sprite
  }

  /** Its processes must be gone. The name is free at once, the files go right after. */
  delete(name: string): void {
    const sprite = this.get(name)
    const doomed = join(this.#root, `.deleted-${sprite.id}`)
    fs.renameSync(join(this.#root, name), doomed)
    this.#sprites.delete(name)
    this.changed(name)
    removeTree(doomed)
  }

  changed(name: string): void {
    for (const watcher of this.watchers) watcher(name)
  }

  /** All whose name starts with `prefix`, by name. */
  list(prefix: string): ReadonlyArray<Sprite> {
    return [...this.#sprites.values()]
      .filter((sprite) => sprite.name.startsWith(prefix))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  directories(sprite: Sprite): Directories {
    const at = (entry: string) => join(this.#root, sprite.name, entry)
    return { home: at("home"), tmp: at("tmp"), etc: at("etc") }
  }

  /** A file of the server's own about a sprite; no sandbox sees it. */
  file(name: string, file: string): string {
    return join(this.#root, name, file)
  }

  /** Replaces it in one step: a reader sees the old or the new. */
  writeFile(name: string, file: string, text: string): void {
    const path = this.file(name, file)
    fs.writeFileSync(`${path}.new`, text, { mode: 0o600 })
    fs.renameSync(`${path}.new`, path)
  }

  /** A directory of the sprite's user beside its files, made when it is missing; no command sees it. */
  ownedDirectory(sprite: Sprite, directory: string): string {
    const path = this.file(sprite.name, directory)
    if (!fs.existsSync(path)) {
      fs.mkdirSync(path, { mode: 0o700 })
      if (sprite.uid !== undefined) fs.chownSync(path, sprite.uid, sprite.uid)
    }
    return path
  }

  /** An empty directory in which to put what is to replace the sprite's files. */
  makeRestoring(sprite: Sprite): string {
    this.discard(sprite, "restoring")
    return this.ownedDirectory(sprite, "restoring")
  }

  /** What is there is complete: puts it in place of the sprite's files. */
  finishRestoring(sprite: Sprite): void {
    this.writeFile(sprite.name, "restoring.ready", "")
    this.#putInPlace(sprite)
  }

  /** Removes something beside its files, however large, without waiting. */
  discard(sprite: Sprite, entry: string): void {
    const path = this.file(sprite.name, entry)
    if (!fs.existsSync(path)) return
    const doomed = join(this.#root, `.deleted-${randomUUID()}`)
    openToOwner(path)
    fs.renameSync(path, doomed)
    removeTree(doomed)
  }

  /** Safe to repeat: a server that died in the middle goes on here. */
  #putInPlace(sprite: Sprite): void {
    for (const part of ["home", "tmp"]) {
      const made = this.file(sprite.name, join("restoring", part))
      if (!fs.existsSync(made)) continue
      this.discard(sprite, part)
      openToOwner(made)
      fs.renameSync(made, this.file(sprite.name, part))
    }
    fs.rmSync(this.file(sprite.name, "restoring.ready"))
    this.discard(sprite, "restoring")
  }

  #read(name: string): void {
    const file = join(this.#root, name, "sprite.json")
    const sprite = fs.existsSync(file) ? jsonObject(fs.readFileSync(file, "utf8")) : undefined
    if (sprite?.["name"] !== name) return
    // What an older version wrote has no rules: nothing is allowed.
    const known = { networkRules: [], ...sprite } as unknown as Sprite
    this.#sprites.set(name, known)
    if (fs.existsSync(this.file(name, "restoring.ready"))) this.#putInPlace(known)
    else this.discard(known, "restoring")
  }

  #write(sprite: Sprite): void {
    this.writeFile(sprite.name, "sprite.json", JSON.stringify(sprite))
    this.#sprites.set(sprite.name, sprite)
    this.changed(sprite.name)
  }

  #freeUid(): number {
    const taken = new Set([...this.#sprites.values()].map((sprite) => sprite.uid))
    let uid = this.#firstUid
    while (taken.has(uid)) uid++
    return uid
  }
}

export const makeDirectories = (directories: Directories, uid: number | undefined): void => {
  for (const directory of [directories.home, directories.tmp]) {
    fs.mkdirSync(directory, { mode: 0o700 })
    if (uid !== undefined) fs.chownSync(directory, uid, uid)
  }
  fs.mkdirSync(directories.etc, { mode: 0o755 })
  const id = uid ?? 1000
  const files = {
    passwd: `root:x:0:0:root:/root:/bin/sh\nsprite:x:${id}:${id}:sprite:/home/sprite:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n`,
    group: `root:x:0:\nsprite:x:${id}:\nnogroup:x:65534:\n`,
    hosts: "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  }
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(join(directories.etc, name), text)
    fs.chmodSync(join(directories.etc, name), 0o644)
  }
}

/** A directory that its owner may not write cannot be moved by any user but root. */
const openToOwner = (path: string): void => {
  const { mode } = fs.statSync(path)
  if ((mode & 0o700) !== 0o700) fs.chmodSync(path, (mode & 0o7777) | 0o700)
}

/** A range that no distribution gives to users, and that differs between two homes on one machine. */
const firstUid = (root: string): number =>
  1_900_000_000 + (createHash("sha256").update(root).digest().readUInt32BE(0) % 200_000) * 1000

/**
 * In a process of its own, because a home may hold a million files; what a stop of the server leaves is taken up at the
 * next start. A sandbox may have closed its own directories to their owner.
 */
const removeTree = (path: string): void => {
  const script = 'chmod -R u+rwX "$1"; rm -rf "$1"'
  spawn("/bin/sh", ["-c", script, "remove", path], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref()
}
