/**
 * P13: what a person's permission allows in a repository. `ask`: they are answered. `command`: commands are run and writes
 * made for them. By default people who can read are answered and people who can write may command; in a public repository
 * everybody can read, so there only people who can write are answered unless the policy names another permission.
 */
import type { Repository } from "./Repositories.ts"
import { levels, type GithubSettings, type Level } from "./Settings.ts"

export interface Policy {
  readonly ask: Level
  readonly command: Level
  readonly events: ReadonlyArray<string> | null
  /** Names of agents; null: all. */
  readonly agents: ReadonlyArray<string> | null
}

export const reaches = (has: Level, needed: Level): boolean => levels.indexOf(has) >= levels.indexOf(needed)

export const policyOf = (settings: GithubSettings, repository: Repository): Policy => {
  const named = (key: string) =>
    Object.entries(settings.repositories).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
  const own = named(repository.fullName) ?? named(`${repository.owner}/*`) ?? {}
  const command = own.command ?? settings.command ?? "write"
  const ask = own.ask ?? settings.ask ?? (repository.private ? "read" : "write")
  return {
    // Whoever may command is also answered.
    ask: reaches(ask, command) ? command : ask,
    command,
    events: own.events ?? null,
    agents: own.agents ?? null,
  }
}
