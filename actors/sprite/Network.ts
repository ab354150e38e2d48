/**
 * Each agent's computer has the network that its agent is allowed: hosts by name, nothing when the list is empty. It is set when
 * the computer is opened, and again when the list has changed. An agent without a list keeps what its owner set.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Sandbox } from "../../integrations/sprites/index.ts"
import { Roster } from "../../runtime/index.ts"
import { machineName } from "./MachineName.ts"

/** `hostsOf`: the hosts that the agent of a machine may reach. */
export const withNetwork = (
  sandbox: Sandbox["Service"],
  hostsOf: (machine: string) => ReadonlyArray<string> | undefined,
): Sandbox["Service"] => {
  const set = new Map<string, string>()
  return {
    ...sandbox,
    open: (name) =>
      Effect.tap(sandbox.open(name), (machine) => {
        const hosts = hostsOf(name)
        const wanted = JSON.stringify(hosts)
        if (hosts === undefined || set.get(name) === wanted) return Effect.void
        const rules = hosts.map((domain) => ({ domain, action: "allow" as const }))
        return Effect.tap(machine.setNetwork(rules), () => Effect.sync(() => set.set(name, wanted)))
      }),
  }
}

export const layerNetwork = Layer.effect(
  Sandbox,
  Effect.gen(function* () {
    const { ws, now } = yield* Roster
    return withNetwork(yield* Sandbox, (machine) => {
      for (const agent of now().agents.values())
        if (machineName(ws, agent.id) === machine) return agent.network ?? undefined
      return undefined
    })
  }),
)
