/** What `troupe doctor` says of one thing. Something wrong comes with the one command that mends it, where a command can. */
export interface Finding {
  readonly check: string
  /** `look`: it works, and somebody should know. `wrong`: it does not. */
  readonly state: "ok" | "look" | "wrong"
  readonly found: string
  /** A command for a shell. */
  readonly mend: string | null
}

export const ok = (check: string, found: string): Finding => ({ check, state: "ok", found, mend: null })
export const look = (check: string, found: string, mend: string | null = null): Finding => ({
  check,
  state: "look",
  found,
  mend,
})
export const wrong = (check: string, found: string, mend: string): Finding => ({
  check,
  state: "wrong",
  found,
  mend,
})

/** A word for a shell, as it is. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
