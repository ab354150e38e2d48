/** Files that came with words: pictures are shown, all else is offered for saving. */
import { IconFile } from "@tabler/icons-react"
import type { MessageEvent } from "../../../runtime/index.ts"
import * as Format from "../format/Format.ts"

const pictures = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

export const Attachments = ({ files }: { readonly files: MessageEvent["attachments"] }) =>
  files.length === 0 ? null : (
    <ul className="files" aria-label="Files">
      {files.map((file, i) => (
        <li key={i}>
          {file.blob === null ? (
            <span className="file" title="Not fetched from the platform">
              <IconFile size={16} />
              {file.kind}: {file.name}
            </span>
          ) : pictures.has(file.mime) ? (
            <a href={`/api/blobs/${file.blob}`} target="_blank" rel="noopener noreferrer">
              <img className="picture" src={`/api/blobs/${file.blob}`} alt={file.name} loading="lazy" />
            </a>
          ) : (
            <a className="file" href={`/api/blobs/${file.blob}`} download={file.name}>
              <IconFile size={16} />
              {file.name} <small>{Format.bytes(file.size)}</small>
            </a>
          )}
        </li>
      ))}
    </ul>
  )
