import { Ajv2020 } from "ajv/dist/2020.js"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { busSchemas, schemasFolder } from "./BusSchemas.ts"

const read = (file: string) => readFileSync(join(schemasFolder, file), "utf8")
const document = readFileSync(join(schemasFolder, "../bus.md"), "utf8")
const validators = new Map(
  globSync("*.json", { cwd: schemasFolder }).map((file) => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true })
    return [file.replace(".schema.json", ""), ajv.compile(JSON.parse(read(file)) as object)] as const
  }),
)

it("the checked-in JSON Schemas are those of the code: `npm run schemas` writes them", async () => {
  const made = await busSchemas()
  expect(globSync("*", { cwd: schemasFolder }).toSorted()).toEqual([...made.keys()].toSorted())
  for (const [file, text] of made) expect(read(file), file).toBe(text)
})

it("docs/bus.md links each schema, and its examples are as the schemas say", () => {
  const examples = [...document.matchAll(/^```json (\S+)\n([^]*?)^```$/gm)]
  for (const [, name, text] of examples) {
    const validate = validators.get(name!)
    expect(validate, `${name} names no schema`).toBeDefined()
    validate!(JSON.parse(text!))
    expect(validate!.errors, name).toBe(null)
  }
  const shown = new Set(examples.map(([, name]) => name!))
  expect([...validators.keys()].filter((name) => !shown.has(name))).toEqual([])
  for (const name of validators.keys()) expect(document).toContain(`(schemas/${name}.schema.json)`)
})

it("a request with what is not the program's to say is none", () => {
  const say = validators.get("say")!
  expect(say({ id: "1", text: "x" })).toBe(true)
  expect(say({ id: "1", text: "x", replyTo: null })).toBe(true)
  expect(say({ id: "1", text: "x", root: "1m86g75hpnf5mzhmc47d" })).toBe(false)
  expect(say({ id: "1", text: "" })).toBe(false)
})
