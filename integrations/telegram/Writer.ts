/**
 * Collects text and the entities over it, in UTF-16 units as Telegram counts, and brings the entities into the form
 * that Telegram accepts: no empty ones, nothing inside code, no quote inside a quote, none cut by the trimming of the
 * ends, no more than it takes. Where it must choose, links stay (their target is nowhere else) and emphasis goes.
 */

export type EntityType = "bold" | "italic" | "strikethrough" | "code" | "pre" | "text_link" | "blockquote"

export interface TextEntity {
  readonly type: EntityType
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
}

export interface Formatted {
  readonly text: string
  readonly entities: ReadonlyArray<TextEntity>
}

export class Writer {
  private text = ""
  private readonly entities: Array<TextEntity> = []

  add(text: string): void {
    this.text += text
  }

  /** Makes what `body` writes an entity. */
  wrap(
    type: EntityType,
    body: () => void,
    more: { readonly url?: string; readonly language?: string } = {},
  ): void {
    const offset = this.text.length
    body()
    if (this.text.length > offset)
      this.entities.push({ type, offset, length: this.text.length - offset, ...more })
  }

  /** Begins a new line unless one has just begun. */
  line(): void {
    if (this.text !== "" && !this.text.endsWith("\n")) this.text += "\n"
  }

  /** At most `most` entities. */
  result(most: number): Formatted {
    return trim(this.text, settle(this.text, this.entities, most))
  }
}

const emphasis = new Set<EntityType>(["bold", "italic", "strikethrough"])
const code = new Set<EntityType>(["code", "pre"])
const end = (entity: TextEntity) => entity.offset + entity.length

function settle(text: string, given: ReadonlyArray<TextEntity>, most: number): ReadonlyArray<TextEntity> {
  const links = given.filter(({ type }) => type === "text_link")
  const codes = given.filter((e) => code.has(e.type) && !links.some((link) => inside(e, link)))
  const quotes = outermost(given.filter(({ type }) => type === "blockquote"))
  const styles = [...emphasis].flatMap((type) =>
    outermost(given.filter((e) => e.type === type)).flatMap((e) => without(e, codes)),
  )
  return [...links, ...codes, ...quotes, ...styles]
    .map((entity) => tight(text, entity))
    .filter(({ length }) => length > 0)
    .slice(0, most)
    .toSorted((a, b) => a.offset - b.offset || b.length - a.length || rank(a) - rank(b))
}

/** Of two entities over the same words, which is the outer one. */
const rank = ({ type }: TextEntity) => (type === "blockquote" ? 0 : emphasis.has(type) ? 1 : 2)

const inside = (inner: TextEntity, outer: TextEntity) =>
  inner.offset >= outer.offset && end(inner) <= end(outer)

const outermost = (list: ReadonlyArray<TextEntity>) =>
  list.filter(
    (e) =>
      !list.some(
        (other) =>
          other !== e &&
          inside(e, other) &&
          (other.length > e.length || list.indexOf(other) < list.indexOf(e)),
      ),
  )

/** What is left of an entity outside the code in it. */
function without(entity: TextEntity, codes: ReadonlyArray<TextEntity>): ReadonlyArray<TextEntity> {
  const parts: Array<TextEntity> = []
  let offset = entity.offset
  for (const hole of codes.toSorted((a, b) => a.offset - b.offset)) {
    if (end(hole) <= offset || hole.offset >= end(entity)) continue
    if (hole.offset > offset) parts.push({ ...entity, offset, length: hole.offset - offset })
    offset = Math.max(offset, end(hole))
  }
  if (offset < end(entity)) parts.push({ ...entity, offset, length: end(entity) - offset })
  return parts
}

/** Space at the ends belongs to no entity; in preformatted text the first indent does. */
function tight(text: string, entity: TextEntity): TextEntity {
  const covered = text.slice(entity.offset, end(entity))
  const last = covered.trimEnd().length
  const first = entity.type === "pre" || last === 0 ? 0 : covered.length - covered.trimStart().length
  return { ...entity, offset: entity.offset + first, length: Math.max(0, last - first) }
}

/** Telegram cuts space at the end, and at the beginning up to the first entity. */
function trim(text: string, entities: ReadonlyArray<TextEntity>): Formatted {
  const first = Math.min(text.length - text.trimStart().length, entities[0]?.offset ?? Infinity)
  return {
    text: text.slice(first).trimEnd(),
    entities: entities.map((entity) => ({ ...entity, offset: entity.offset - first })),
  }
}
