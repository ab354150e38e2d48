/** What a message holds besides its text: files as attachments, and everything that is no file in words. Pure. */
import type { Attachment } from "../../runtime/index.ts"
import type { Media, Message } from "./Update.ts"
import { oneLine } from "./Words.ts"

export interface Files {
  readonly list: ReadonlyArray<Attachment>
  /** Where their bytes can be had, index by index. */
  readonly files: ReadonlyArray<string>
}

/** The largest size of a photo; of everything else the file itself. */
export const filesOf = (message: Message): Files => {
  const found: Array<readonly [Attachment["kind"], Media, string, string]> = []
  const photo = message.photo?.toSorted((a, b) => (a.file_size ?? 0) - (b.file_size ?? 0)).at(-1)
  if (photo !== undefined) found.push(["photo", photo, "photo.jpg", "image/jpeg"])
  const video = message.video ?? message.video_note ?? message.animation
  if (video !== undefined) found.push(["video", video, "video.mp4", "video/mp4"])
  else if (message.document !== undefined)
    found.push(["document", message.document, "document", "application/octet-stream"])
  if (message.audio !== undefined) found.push(["audio", message.audio, "audio.mp3", "audio/mpeg"])
  if (message.voice !== undefined) found.push(["voice", message.voice, "voice.ogg", "audio/ogg"])
  if (message.sticker !== undefined) found.push(["sticker", message.sticker, "sticker.webp", "image/webp"])
  const list: Array<Attachment> = found.map(([kind, media, name, mime]) => ({
    kind,
    name: fileName(media.file_name) ?? name,
    mime: media.mime_type ?? mime,
    size: media.file_size ?? 0,
    blob: null,
  }))
  return { list, files: found.map(([, media]) => media.file_id) }
}

/** Undefined where text and files say it all. */
export const describe = (message: Message): string | undefined => {
  const { voice, video_note: round, sticker, venue, location, contact, poll, dice, checklist } = message
  if (voice !== undefined) return `[Voice message${lasting(voice)}]`
  if (round !== undefined) return `[Video message${lasting(round)}]`
  if (sticker !== undefined)
    return `[Sticker${sticker.emoji === undefined ? "" : ` ${oneLine(sticker.emoji)}`}]`
  if (venue !== undefined) return `[Place: ${venue.title}, ${venue.address} (${at(venue.location)})]`
  if (location !== undefined) return `[Location: ${at(location)}]`
  if (contact !== undefined)
    return `[Contact: ${[contact.first_name, contact.last_name].filter(Boolean).join(" ")}, ${contact.phone_number}]`
  if (poll !== undefined)
    return [`[Poll: ${poll.question}]`, ...poll.options.map(({ text }) => `- ${text}`)].join("\n")
  if (dice !== undefined) return `[${dice.emoji} ${dice.value}]`
  if (checklist !== undefined)
    return [
      `[Checklist: ${checklist.title}]`,
      ...checklist.tasks.map((task) => `- [${task.completion_date === undefined ? " " : "x"}] ${task.text}`),
    ].join("\n")
  const hidden = unreadable.find(([kind]) => message[kind] !== undefined)?.[1]
  return hidden === undefined ? undefined : `[${hidden}, which a bot cannot read]`
}

const unreadable = [
  ["story", "A story"],
  ["paid_media", "Paid media"],
  ["game", "A game"],
  ["invoice", "An invoice"],
  ["giveaway", "A giveaway"],
] as const

const lasting = ({ duration }: Media): string => (duration === undefined ? "" : `, ${duration} s`)
const at = ({ latitude, longitude }: NonNullable<Message["location"]>): string =>
  `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`

/** A name without a path, as it will be in the sandbox. */
const fileName = (name: string | undefined): string | undefined => {
  const last = oneLine(name?.split(/[/\\]/).at(-1) ?? "")
  return last === "" || last === "." || last === ".." ? undefined : last
}
