/**
 * What we wrote, known by a hidden line at its very end: the turn and the part or call that wrote it, and the agent. By it
 * words are found again after a crash (P8), and are never heard as somebody's. Only trusted on what our App wrote.
 */
export interface Mark {
  /** `<turn>/<part>`, or `<turn>/<hash of the call>`. */
  readonly key: string
  readonly agent: string
}

export const marker = ({ key, agent }: Mark): string => `<!-- troupe ${key} @${agent} -->`

const pattern = /(?:^|\n)<!-- troupe (\S+) @([a-z0-9_-]+) -->\s*$/

export const markOf = (body: string | null | undefined): Mark | undefined => {
  const [, key, agent] = pattern.exec(body ?? "") ?? []
  return key === undefined || agent === undefined ? undefined : { key, agent }
}

/** The branch an agent works on for an issue or pull request: the same after every restart (P8). */
export const branchFor = (agent: string, number: number, again = 1): string =>
  `troupe/${agent}/${number}${again > 1 ? `-${again}` : ""}`

export const ownBranch = (
  ref: string,
): { readonly agent: string; readonly number: number; readonly again: number } | undefined => {
  const [, agent, number, again] = /^troupe\/([a-z][a-z0-9_-]{0,31})\/(\d+)(?:-(\d+))?$/.exec(ref) ?? []
  return agent === undefined ? undefined : { agent, number: Number(number), again: Number(again ?? 1) }
}
