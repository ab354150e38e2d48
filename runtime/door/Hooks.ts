/**
 * Where integrations hang their webhooks: `POST /hooks/<integration name>`. The HTTP server hands over the raw bytes
 * and headers; the integration verifies before it parses and answers with a status. An unknown name is 404.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

export interface HookRequest {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}
export interface HookResponse {
  readonly status: number
  readonly body: string
}
export type HookHandler = (request: HookRequest) => Effect.Effect<HookResponse>

export class Hooks extends Context.Service<
  Hooks,
  {
    /** Hangs the handler until the scope closes. A body over `maxBytes` is refused with 413 before it is read. */
    readonly register: (
      name: string,
      maxBytes: number,
      handler: HookHandler,
    ) => Effect.Effect<void, never, Scope.Scope>
    readonly find: (name: string) => { readonly maxBytes: number; readonly handler: HookHandler } | undefined
  }
>()("troupe/door/Hooks") {
  static readonly layer = Layer.sync(Hooks, () => {
    const hooks = new Map<string, { readonly maxBytes: number; readonly handler: HookHandler }>()
    return Hooks.of({
      register: (name, maxBytes, handler) =>
        Effect.acquireRelease(
          Effect.sync(() => hooks.set(name, { maxBytes, handler })),
          () => Effect.sync(() => hooks.delete(name)),
        ).pipe(Effect.asVoid),
      find: (name) => hooks.get(name),
    })
  })
}
