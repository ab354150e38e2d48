/**
 * Markdown as elements. `marked` only cuts the text into tokens; every element is made here from a fixed list of
 * kinds. HTML in the text is shown as text, links lead only to the web or to mail, pictures are shown as links.
 */
import { lexer, type Token, type Tokens } from "marked"
import { memo, type ReactNode, useState } from "react"

export const Markdown = memo(({ text }: { readonly text: string }) => {
  try {
    return <>{blocks(lexer(text, { gfm: true, breaks: true }))}</>
  } catch {
    // Text that the lexer cannot cut (nested too deeply) is still shown, as it is.
    return <p>{text}</p>
  }
})

const blocks = (tokens: ReadonlyArray<Token>): ReactNode => tokens.map((token, i) => block(token, i))

const block = (token: Token, key: number): ReactNode => {
  switch (token.type) {
    case "space":
    case "def":
      return null
    case "paragraph":
      return <p key={key}>{inlines(token.tokens)}</p>
    case "text":
      return "tokens" in token && token.tokens ? (
        <span key={key}>{inlines(token.tokens)}</span>
      ) : (
        plain((token as Tokens.Text).text)
      )
    case "heading": {
      const Tag = `h${Math.min(6, (token as Tokens.Heading).depth + 2)}` as "h3"
      return <Tag key={key}>{inlines(token.tokens)}</Tag>
    }
    case "code":
      return (
        <CodeBlock
          key={key}
          text={(token as Tokens.Code).text}
          lang={((token as Tokens.Code).lang ?? "").split(/\s/)[0] ?? ""}
        />
      )
    case "blockquote":
      return <blockquote key={key}>{blocks(token.tokens ?? [])}</blockquote>
    case "hr":
      return <hr key={key} />
    case "list":
      return list(token as Tokens.List, key)
    case "table":
      return table(token as Tokens.Table, key)
    case "html":
      return <p key={key}>{token.raw.trimEnd()}</p>
    default:
      return <span key={key}>{token.raw}</span>
  }
}

const list = (token: Tokens.List, key: number) => {
  const items = token.items.map((item, i) => (
    <li key={i} className={item.task ? "task" : undefined}>
      {item.task ? (
        <input type="checkbox" disabled checked={item.checked === true} aria-label="Done" />
      ) : null}
      {blocks(item.tokens.filter((part) => part.type !== "checkbox"))}
    </li>
  ))
  return token.ordered ? (
    <ol key={key} start={token.start === "" ? 1 : token.start}>
      {items}
    </ol>
  ) : (
    <ul key={key}>{items}</ul>
  )
}

const table = (token: Tokens.Table, key: number) => {
  const to = (i: number) => (token.align[i] ? `to-${token.align[i]}` : undefined)
  return (
    // A wide table scrolls, also for those who use the keyboard.
    <div key={key} className="table" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {token.header.map((cell, i) => (
              <th key={i} className={to(i)}>
                {inlines(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, n) => (
            <tr key={n}>
              {row.map((cell, i) => (
                <td key={i} className={to(i)}>
                  {inlines(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export const Copy = ({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) => {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <button type="button" className="copy" onClick={() => void copy()}>
      {copied ? "Copied" : label}
    </button>
  )
}

export const CodeBlock = ({ text, lang }: { readonly text: string; readonly lang: string }) => (
  <figure className="code">
    <figcaption>
      <span>{lang === "" ? "text" : lang}</span>
      <Copy text={text} />
    </figcaption>
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  </figure>
)

const inlines = (tokens: ReadonlyArray<Token> | undefined): ReactNode =>
  (tokens ?? []).map((token, i) => inline(token, i))

const inline = (token: Token, key: number): ReactNode => {
  switch (token.type) {
    case "text":
    case "escape":
      return "tokens" in token && token.tokens ? (
        <span key={key}>{inlines(token.tokens)}</span>
      ) : (
        <WithMentions key={key} text={plain((token as Tokens.Text).text)} />
      )
    case "strong":
      return <strong key={key}>{inlines(token.tokens)}</strong>
    case "em":
      return <em key={key}>{inlines(token.tokens)}</em>
    case "del":
      return <del key={key}>{inlines(token.tokens)}</del>
    case "codespan":
      return <code key={key}>{plain((token as Tokens.Codespan).text)}</code>
    case "br":
      return <br key={key} />
    case "link":
      return link((token as Tokens.Link).href, inlines(token.tokens), key)
    case "image":
      return link(
        (token as Tokens.Image).href,
        plain((token as Tokens.Image).text) || (token as Tokens.Image).href,
        key,
      )
    default:
      return <span key={key}>{token.raw}</span>
  }
}

const link = (href: string, children: ReactNode, key: number) => {
  const url = URL.parse(href)
  const safe = url !== null && ["http:", "https:", "mailto:"].includes(url.protocol)
  return safe ? (
    <a key={key} href={url.href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ) : (
    <span key={key}>{children}</span>
  )
}

/** `@name` stands out. */
export const WithMentions = ({ text }: { readonly text: string }) => (
  <>
    {text.split(/((?<![\w@./-])@[a-z][a-z0-9_-]*)/i).map((part, i) =>
      i % 2 === 1 ? (
        <span key={i} className="at">
          {part}
        </span>
      ) : (
        part
      ),
    )}
  </>
)

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  nbsp: "\u00a0",
}
const plain = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name] ?? "")
