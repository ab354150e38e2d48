/** The small pages before the page: a link that does not open, entering, and a page that is being built. None has a script. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"

const page = (head: string, body: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Troupe</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/page/front.css" />
    ${head}
  </head>
  <body class="front">
    <main class="front-card">
      <img class="front-mark" src="/favicon.svg" alt="" width="44" height="44" />
      ${body}
    </main>
  </body>
</html>
`

const closed = page(
  "",
  `<h1>This page is locked</h1>
      <p>Open the link that was printed when Troupe started. Each link works once.</p>
      <p>For a new one, run this where Troupe runs:</p>
      <pre><code>npx troupe link</code></pre>`,
)

export const closedPage = (status: number) =>
  HttpServerResponse.html(closed).pipe(HttpServerResponse.setStatus(status))

export const enteringPage = HttpServerResponse.html(
  page(
    `<meta http-equiv="refresh" content="0; url=/" />`,
    `<h1>Welcome in</h1>
      <p>One moment. If nothing happens, <a href="/">continue to the page</a>.</p>`,
  ),
)

/** Asked again by itself, until the page is there. */
export const buildingPage = (state: "building" | "impossible") =>
  state === "building"
    ? HttpServerResponse.html(
        page(
          `<meta http-equiv="refresh" content="1" />`,
          `<h1>One moment</h1>
      <p>The page is being made for the first time. Troupe works already.</p>`,
        ),
      ).pipe(HttpServerResponse.setStatus(503))
    : HttpServerResponse.html(
        page(
          "",
          `<h1>The page is not here</h1>
      <p>It could not be made. Run this where Troupe lives, and start it again:</p>
      <pre><code>npm ci</code></pre>`,
        ),
      ).pipe(HttpServerResponse.setStatus(503))
