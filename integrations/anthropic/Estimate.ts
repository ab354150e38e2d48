/** How many tokens something can have at most, for reserving money before a call (P10). Pure. */

/**
 * More tokens than the text has: two bytes a token, where prose has three to four. Only dense text without words
 * (random base64, hex) comes near it.
 */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 2)

/** A picture is billed by its size on screen, never by its bytes; the largest costs a little less than this. */
const tokensOfPicture = 5_000

/** Messages, blocks, tools or a whole request: as text, but with each base64 source at the price of a picture. */
export function estimateContentTokens(content: unknown): number {
  let pictures = 0
  const text = JSON.stringify(content, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("data" in value) || !("type" in value)) return value
    if (value.type !== "base64") return value
    pictures++
    return null
  })
  return (text === undefined ? 0 : estimateTokens(text)) + pictures * tokensOfPicture
}
