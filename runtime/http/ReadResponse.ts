/**
 * The answer to one of our calls. Text and JSON are read off the socket as they are: a web `Response` makes a stream, its
 * readers and its controllers for each, which costs more than what is read. Whoever wants anything else of it, the stream
 * first of all, is given that `Response`.
 *
 * A connection that is cut or silent for too long fails whoever reads, then or later; it never looks like an end.
 */
import type { ClientRequest, IncomingMessage } from "node:http"

const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

export class ReadResponse implements Response {
  readonly status: number
  readonly statusText: string
  readonly url: string
  readonly redirected = false
  readonly type = "basic"
  private readonly request: ClientRequest
  private readonly response: IncomingMessage
  private web: Response | undefined
  private read: Headers | undefined
  private used = false
  private failure: Error | undefined
  private onFailure: (error: Error) => void = () => {}

  constructor(request: ClientRequest, response: IncomingMessage, url: string) {
    this.request = request
    this.response = response
    this.url = url
    this.status = response.statusCode ?? 502
    this.statusText = response.statusMessage ?? ""
    const fail = (error: Error) => {
      this.failure ??= error
      this.onFailure(this.failure)
    }
    request.once("error", fail)
    response.once("error", fail)
    if (withoutBody.has(this.status)) response.resume()
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  get headers(): Headers {
    if (this.read === undefined) {
      this.read = new Headers()
      const { rawHeaders } = this.response
      for (let i = 0; i + 1 < rawHeaders.length; i += 2) this.read.append(rawHeaders[i]!, rawHeaders[i + 1]!)
    }
    return this.read
  }

  get bodyUsed(): boolean {
    return this.web?.bodyUsed ?? this.used
  }

  async text(): Promise<string> {
    if (this.web !== undefined || this.used || withoutBody.has(this.status)) return this.toWeb().text()
    this.used = true
    return new TextDecoder().decode(await this.bytesOf())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  get body() {
    return this.toWeb().body
  }
  arrayBuffer() {
    return this.toWeb().arrayBuffer()
  }
  blob() {
    return this.toWeb().blob()
  }
  bytes() {
    return this.toWeb().bytes()
  }
  formData() {
    return this.toWeb().formData()
  }
  clone() {
    return this.toWeb().clone()
  }

  private bytesOf(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure)
      const parts: Array<Buffer> = []
      this.onFailure = reject
      this.response.on("data", (part: Buffer) => parts.push(part))
      this.response.once("end", () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts)))
    })
  }

  private toWeb(): Response {
    if (this.used) throw new TypeError("The body was read already.")
    const { status, statusText, headers } = this
    return (this.web ??= new Response(withoutBody.has(status) ? null : this.stream(), {
      status,
      statusText,
      headers,
    }))
  }

  /** Backpressure by pausing the socket; a cut connection errors the stream instead of ending it. */
  private stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { request, response } = this
    let settled = false
    return new ReadableStream({
      start: (controller) => {
        const fail = (error: Error) => {
          if (settled) return
          settled = true
          controller.error(error)
        }
        if (this.failure !== undefined) return fail(this.failure)
        this.onFailure = fail
        response.on("data", (chunk: Buffer<ArrayBuffer>) => {
          if (settled) return
          controller.enqueue(chunk)
          if ((controller.desiredSize ?? 0) <= 0) response.pause()
        })
        response.once("end", () => {
          if (settled) return
          settled = true
          controller.close()
        })
      },
      pull() {
        response.resume()
      },
      cancel(reason) {
        settled = true
        request.destroy(reason instanceof Error ? reason : undefined)
      },
    })
  }
}
