/**
 * The `Sandbox` port over the @fly/sprites SDK: Fly's service, or the local Sprites server, by `baseUrl`.
 * Control mode stays off: with it the SDK runs a failing command twice.
 */
import { APIError, SpritesClient } from "@fly/sprites"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Sandbox, SandboxError } from "./Sandbox.ts"
import { call, spritesMachine } from "./SpritesMachine.ts"

export interface SpritesOptions {
  /** For example https://api.sprites.dev, or the URL of the local server. */
  readonly baseUrl: string
  readonly token: Redacted.Redacted
}

const status = (error: SandboxError): number | undefined =>
  error.cause instanceof APIError ? error.cause.statusCode : undefined

export const layer = (options: SpritesOptions): Layer.Layer<Sandbox> =>
  Layer.sync(Sandbox, () => {
    const client = new SpritesClient(Redacted.value(options.token), {
      baseURL: options.baseUrl,
      controlMode: false,
    })

    const get = (name: string) => call(`find the machine ${name}`, () => client.getSprite(name))

    const create = (name: string) =>
      call(`create the machine ${name}`, () => client.createSprite(name, {}), "130 seconds").pipe(
        Effect.map((sprite) => spritesMachine(sprite, true)),
        // Someone else made it between our two calls.
        Effect.catchIf(
          (error) => status(error) === 400 || status(error) === 409,
          (error) =>
            get(name).pipe(
              Effect.map((sprite) => spritesMachine(sprite, false)),
              Effect.mapError(() => error),
            ),
        ),
      )

    return Sandbox.of({
      open: Effect.fn("Sandbox.open")(function* (name: string) {
        if (!/^[a-z0-9-]{1,63}$/.test(name))
          return yield* new SandboxError({
            kind: "invalid",
            retry: "never",
            message: `"${name}" cannot name a machine: use at most 63 lower-case letters, digits and dashes.`,
            cause: name,
          })
        return yield* get(name).pipe(
          Effect.map((sprite) => spritesMachine(sprite, false)),
          Effect.catchIf(
            (error) => error.kind === "missing",
            () => create(name),
          ),
        )
      }),
      names: (prefix) =>
        call("list the machines", () => client.listAllSprites(prefix)).pipe(
          Effect.map((all) => all.map(({ name }) => name).filter((name) => name.startsWith(prefix))),
        ),
      destroy: (name) =>
        call(`delete the machine ${name}`, () => client.deleteSprite(name)).pipe(
          Effect.catchIf(
            (error) => error.kind === "missing",
            () => Effect.void,
          ),
        ),
    })
  })
