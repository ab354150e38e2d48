import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const read = (file: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../..", file), "utf8")) as Record<string, Packages>
type Packages = Record<
  string,
  { readonly hasInstallScript?: true; readonly resolved?: string } | string | boolean
>

const locked = Object.entries(read("package-lock.json").packages!)

it("rules on every install script by name", () => {
  const ruled = read("package.json").allowScripts!
  const wanted = locked
    .filter(([, entry]) => typeof entry === "object" && entry.hasInstallScript)
    .map(([path]) => path.split("node_modules/").at(-1)!)
  expect(Object.keys(ruled).sort()).toEqual([...new Set(wanted)].sort())
  expect(Object.keys(ruled).filter((name) => ruled[name] === true)).toEqual(["node"])
})

it("names no registry in the lockfile", () => {
  expect(locked.filter(([, entry]) => typeof entry === "object" && entry.resolved !== undefined)).toEqual([])
})

it("pins every dependency to one version", () => {
  const { dependencies, optionalDependencies, devDependencies } = read("package.json")
  const versions = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(String(version)))).toEqual([])
})
