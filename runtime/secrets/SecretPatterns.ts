/** What tokens look like, vendor by vendor. A pattern runs only when its sign is in the text. */

export const hidden = "[redacted]"

interface Pattern {
  readonly sign: string
  readonly pattern: RegExp
  readonly replacement: string
}

const patterns: ReadonlyArray<Pattern> = [
  // Telegram bot tokens: `123456789:AA…`, also inside a URL (`/bot123456789:AA…/getMe`).
  { sign: ":", pattern: /\d{6,12}:[\w-]{30,}/g, replacement: hidden },
  { sign: "sk-ant-", pattern: /sk-ant-[\w-]{16,}/g, replacement: hidden },
  // GitHub: personal, OAuth, user, installation (`ghs_` with a JWT of about 520 characters) and refresh tokens.
  { sign: "gh", pattern: /gh[opsur]_[\w.-]{20,}/g, replacement: hidden },
  { sign: "github_pat_", pattern: /github_pat_\w{20,}/g, replacement: hidden },
  { sign: "eyJ", pattern: /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, replacement: hidden },
  {
    sign: "PRIVATE KEY",
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    replacement: hidden,
  },
  // A password in a URL: `postgres://user:password@host`.
  { sign: "://", pattern: /(:\/\/[^\s/:@]*:)[^\s/@]+@/g, replacement: `$1${hidden}@` },
  {
    sign: "earer",
    pattern: /\b([Bb]earer\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{16,}=*/g,
    replacement: `$1${hidden}`,
  },
  {
    sign: "uthorization",
    pattern: /\b([Aa]uthorization["']?\s*[:=]\s*["']?(?:(?:[Bb]asic|[Tt]oken)\s+)?)[\w.~+/-]{16,}=*/g,
    replacement: `$1${hidden}`,
  },
]

export const hidePatterns = (text: string): string => {
  let out = text
  for (const { sign, pattern, replacement } of patterns) {
    if (out.includes(sign)) out = out.replace(pattern, replacement)
  }
  return out
}
