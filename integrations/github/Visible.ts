/**
 * What GitHub hides from readers, made visible, so that nobody speaks to an agent behind people's backs: comments of HTML,
 * and characters without a shape (zero width, direction marks, tags, fillers). Everything else stays as it was written.
 */
const hiddenComment = /<!--([\s\S]*?)(?:-->|$)/g
/** Line breaks and tabs are seen; emoji are joined by U+200D and given colour by U+FE0F. */
const shapeless =
  /(?![\n\r\t])(?:[\p{Cc}\p{Cf}]|\u034f|[\u115f\u1160]|\u17b4|\u17b5|\u3164|\uffa0|[\ufe00-\ufe0e]|[\u{e0100}-\u{e01ef}])/gu
const joined = /\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?\u200d(?=\p{Extended_Pictographic})/gu
const keep = "\uE000"

export const visible = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(keep, "[U+E000]")
    .replaceAll("\r\n", "\n")
    .replace(hiddenComment, (_, inner: string) => `[hidden comment: ${inner.trim()}]`)
    .replace(joined, (run) => run.replace("\u200d", keep))
    .replace(shapeless, (char) => `[U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`)
    .replaceAll(keep, "\u200d")
