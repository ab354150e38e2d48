/**
 * What a sandbox sees: the host's programs and libraries, read-only, a few files of /etc without which they do not
 * work, its own home and /tmp, and nothing else: no network but its own loopback, no other process, no other home.
 *
 * A server that is root makes the namespaces as root and then gives up every right with `setpriv`, because a uid
 * without rights could not reach a home below a closed directory. Any other user makes a user namespace.
 * The root and /dev are read-only: they live in memory that no limit would count.
 */
import * as fs from "node:fs"
import { join } from "node:path"
import type { Box, Command } from "./Isolation.ts"
import { home } from "./Wire.ts"

/** Each costs every command a tenth of a millisecond: only what common programs fail without. */
const hostFiles = [
  "alternatives", "fonts", "ld.so.cache", "localtime", "mime.types", "os-release", "pki/ca-trust", "python3", "services",
  "ssl/certs", "ssl/openssl.cnf",
] // prettier-ignore

export const bubblewrapArguments = (
  box: Box,
  command: Command,
  nestedUserNamespaces: boolean,
): ReadonlyArray<string> => [
  ...(box.uid === undefined ? ownUser(nestedUserNamespaces) : asRoot),
  // Without a network of the sprite's, which the launcher has entered by now, one of the command's own.
  ...(box.network === undefined ? ["--unshare-net"] : []),
  "--die-with-parent",
  "--new-session",
  "--hostname", box.name,
  "--clearenv",
  ...Object.entries(command.env).flatMap(([key, value]) => ["--setenv", key, value]),
  ...systemDirectories(),
  ...["/etc", "/etc/pki", "/etc/ssl"].flatMap(openDirectory),
  ...hostFiles.flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
  ...["passwd", "group", "hosts", "nsswitch.conf"].flatMap((name) => [
    "--ro-bind", join(box.directories.etc, name), `/etc/${name}`,
  ]),
  "--proc", "/proc",
  "--dev", "/dev",
  "--perms", "1777", "--size", "67108864", "--tmpfs", "/dev/shm",
  ...["/home", "/run", "/var"].flatMap(openDirectory),
  "--symlink", "/tmp", "/var/tmp",
  "--symlink", "/proc/self/mounts", "/etc/mtab",
  "--bind", box.directories.home, home,
  "--bind", box.directories.tmp, "/tmp",
  ...(command.mounts ?? []).flatMap((mount) => [mount.writable ? "--bind" : "--ro-bind", mount.from, mount.to]),
  "--remount-ro", "/dev",
  "--remount-ro", "/",
  "--chdir", "/",
] // prettier-ignore

/** A directory that bubblewrap makes on the way to something else is closed to others. */
const openDirectory = (path: string): ReadonlyArray<string> => ["--perms", "0755", "--dir", path]

const ownUser = (nestedUserNamespaces: boolean): ReadonlyArray<string> => [
  "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--unshare-user", "--uid", "1000", "--gid", "1000",
  ...(nestedUserNamespaces ? [] : ["--disable-userns"]),
] // prettier-ignore

const asRoot: ReadonlyArray<string> = [
  "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try",
  "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP",
] // prettier-ignore

/** On most systems /bin and /lib are links into /usr; elsewhere they are directories of their own. */
const systemDirectories = (): ReadonlyArray<string> =>
  ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"].flatMap((name) => {
    const path = `/${name}`
    const found = fs.lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined) return []
    return found.isSymbolicLink() ? ["--symlink", fs.readlinkSync(path), path] : ["--ro-bind", path, path]
  })
