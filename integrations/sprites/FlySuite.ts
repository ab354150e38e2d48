/** Both contracts against Fly with the token in SPRITES_TOKEN; started by hand, see README.md. */
import * as Redacted from "effect/Redacted"
import { suite } from "./SandboxSuite.ts"
import { sdkSuite } from "./SdkSuite.ts"
import { layer } from "./Sprites.ts"

const token = process.env["SPRITES_TOKEN"]
const baseUrl = process.env["SPRITES_URL"] ?? "https://api.sprites.dev"
if (token === undefined || token === "") throw new Error("Set SPRITES_TOKEN to a token of Fly Sprites.")

suite("Fly", layer({ baseUrl, token: Redacted.make(token) }))
sdkSuite("Fly", async () => ({ baseUrl, token, close: async () => {} }))
