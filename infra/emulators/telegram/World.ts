/**
 * The emulator's ground truth: who is in which chat and what everybody sees there now. It knows nothing of HTTP.
 * Message ids count per chat from 1, as strictly as Telegram allows, so that code which takes them for unique fails.
 */

export interface User {
  readonly id: number
  readonly name: string
  readonly username: string | null
  readonly isBot: boolean
}

export interface Entity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
  readonly user?: { readonly id: number }
}

export interface StoredFile {
  readonly fileId: string
  readonly path: string
  readonly name: string
  readonly mime: string
  readonly bytes: Uint8Array
}

export interface Button {
  readonly text: string
  readonly callback_data: string
}

export type FileKind = "photo" | "document" | "audio" | "voice" | "video" | "sticker"

/** One message as a person in the chat sees it. `edits` are its earlier texts, the oldest first. */
export interface Seen {
  readonly id: number
  readonly from: User
  readonly date: number
  readonly topic: number | null
  readonly replyTo: number | null
  readonly text: string
  readonly entities: ReadonlyArray<Entity>
  readonly file: { readonly kind: FileKind; readonly stored: StoredFile } | null
  readonly editDate: number | null
  readonly edits: ReadonlyArray<string>
  /** The inline keyboard, row by row. */
  readonly buttons: ReadonlyArray<ReadonlyArray<Button>>
  /** Fields of the wire message that only tests set: `forward_origin`, `sender_chat`, `via_bot`, `quote`. */
  readonly extra: Readonly<Record<string, unknown>>
}

export type ChatType = "private" | "group" | "supergroup" | "channel"

export interface Chat {
  id: number
  type: ChatType
  title: string
  forum: boolean
  /** The person of a private chat. */
  readonly person: User | null
  readonly topics: Map<number, string>
  /** Topics where only administrators may write; the bots are none. */
  readonly closed: Set<number>
  readonly messages: Map<number, Seen>
  readonly bots: Set<number>
  /** Bots that were thrown out, or that the person has blocked. */
  readonly barred: Set<number>
  migratedTo: number | null
  nextMessage: number
}

export interface Change {
  readonly kind: "new" | "edit"
  readonly chat: Chat
  readonly message: Seen
}

export class World {
  readonly users = new Map<number, User>()
  readonly chats: Array<Chat> = []
  readonly files = new Map<string, StoredFile>()
  readonly listeners = new Set<(change: Change) => void>()
  private readonly byBot = new Map<number, Map<number, Chat>>()
  private nextFile = 1
  private nextGroup = 1

  user(id: number, name: string, username: string | null, isBot = false): User {
    const user = { id, name, username, isBot }
    this.users.set(id, user)
    return user
  }

  chat(type: ChatType, title: string, person: User | null, bots: Iterable<number>, forum = false): Chat {
    const n = this.nextGroup++
    const id = person?.id ?? (type === "group" ? -n : -1_000_000_000_000 - n)
    const chat: Chat = {
      id,
      type,
      title,
      forum,
      person,
      topics: new Map(),
      closed: new Set(),
      messages: new Map(),
      bots: new Set(bots),
      barred: new Set(),
      migratedTo: null,
      // The first message of a supergroup tells that it was made; no topic can have its id.
      nextMessage: type === "supergroup" ? 2 : 1,
    }
    this.chats.push(chat)
    this.index(chat)
    return chat
  }

  /** The chat that this bot knows by this id. */
  find(bot: number, id: number): Chat | undefined {
    return this.byBot.get(bot)?.get(id)
  }

  /** A group becomes a supergroup with another id; the old id only says so. */
  migrate(chat: Chat): number {
    const old = chat.id
    const husk = { ...chat, id: old, migratedTo: -1_000_000_000_000 - this.nextGroup++, messages: new Map() }
    chat.id = husk.migratedTo
    chat.type = "supergroup"
    this.index(chat)
    this.index(husk)
    return old
  }

  post(
    chat: Chat,
    message: Omit<Seen, "id" | "editDate" | "edits" | "buttons"> & Partial<Pick<Seen, "buttons">>,
  ): Seen {
    const seen: Seen = { buttons: [], ...message, id: chat.nextMessage++, editDate: null, edits: [] }
    chat.messages.set(seen.id, seen)
    this.tell({ kind: "new", chat, message: seen })
    return seen
  }

  edit(
    chat: Chat,
    before: Seen,
    text: string,
    entities: ReadonlyArray<Entity>,
    date: number,
    buttons: Seen["buttons"] = [],
  ): Seen {
    const edits = text === before.text ? before.edits : [...before.edits, before.text]
    const after: Seen = { ...before, text, entities, buttons, editDate: date, edits }
    chat.messages.set(after.id, after)
    this.tell({ kind: "edit", chat, message: after })
    return after
  }

  file(name: string, mime: string, bytes: Uint8Array, folder: string): StoredFile {
    const n = this.nextFile++
    const stored = { fileId: `file-${n}`, path: `${folder}/file_${n}`, name, mime, bytes }
    this.files.set(stored.fileId, stored)
    return stored
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) listener(change)
  }

  private index(chat: Chat): void {
    for (const bot of chat.bots) {
      const known = this.byBot.get(bot) ?? new Map<number, Chat>()
      known.set(chat.id, chat)
      this.byBot.set(bot, known)
    }
  }
}
