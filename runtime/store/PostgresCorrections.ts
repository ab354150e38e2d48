/**
 * What is wrong in the `postgres` package 3.4.9 when the server or a connection dies, as exact replacements of its source
 * (CommonJS build). Found by killing Postgres under load; the numbers in brackets are upstream issues and pull requests.
 *
 * - The process ends: `nextWrite` writes to a socket that is gone (1066, 1154, 1208); the query for the array types, which
 *   nobody awaits, rejects; a `begin` goes on with a connection that is gone.
 * - A query never settles: the flush timer is cleared but not forgotten, so the next connection never sends a byte (1168);
 *   a query that was given between `error` and `close` is forgotten.
 * - A query gets the answer or the error of another one: what was waiting on the dead connection is still in line on the
 *   next one.
 * - A transaction's later statements run outside it, or inside another one, once its connection was replaced (1155, 1215);
 *   `begin` takes no connection for itself at the pipeline's limit (1189).
 */
export interface Correction {
  readonly file: "connection.js" | "index.js"
  readonly was: string
  readonly is: string
}

export const corrections: ReadonlyArray<Correction> = [
  {
    file: "connection.js",
    was: `  function nextWrite(fn) {
`,
    is: `  function nextWrite(fn) {
    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      return false
    }
`,
  },
  {
    file: "connection.js",
    was: `    if (terminated)
      return queryError(q, Errors.connection('CONNECTION_DESTROYED', options))
`,
    is: `    if (terminated || socket === null)
      return queryError(q, Errors.connection('CONNECTION_DESTROYED', options))
`,
  },
  {
    file: "connection.js",
    was: `      return write(toBuffer(q))
        && !q.describeFirst
        && !q.cursorFn
        && sent.length < max_pipeline
        && (!q.options.onexecute || q.options.onexecute(connection))
`,
    is: `      const more = write(toBuffer(q)) && !q.describeFirst && !q.cursorFn && sent.length < max_pipeline
      return q.options.onexecute ? q.options.onexecute(connection) : more
`,
  },
  {
    file: "connection.js",
    was: `    clearImmediate(nextWriteTimer)
    if (socket) {
`,
    is: `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    if (socket) {
`,
  },
  {
    file: "connection.js",
    was: `    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)
`,
    is: `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)
`,
  },
  {
    file: "connection.js",
    was: `    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
    closedTime = performance.now()
    hadError && options.shared.retries++
    delay = (typeof backoff === 'function' ? backoff(options.shared.retries) : backoff) * 1000
    onclose(`,
    is: `    closedTime = performance.now()
    ;(hadError || initial) && options.shared.retries++
    delay = (typeof backoff === 'function' ? backoff(options.shared.retries) : backoff) * 1000

    const lost = errorResponse || Errors.connection('CONNECTION_CLOSED', options)
    query && queryError(query, lost)
    while (sent.length)
      queryError(sent.shift(), lost)
    stream && (stream.destroy(lost), stream = null)
    query = results = errorResponse = null
    result = new Result()
    ended && (ended(), ending = ended = null)

    if (initial)
      return reconnect()

    onclose(`,
  },
  {
    file: "connection.js",
    was: `      return fetchArrayTypes()
`,
    is: `      return fetchArrayTypes().catch(() => {})
`,
  },
  {
    file: "index.js",
    was: `    const queue = Queue()
    const c = open.length
`,
    is: `    const queue = Queue()
    let lost = null
    const c = open.length
`,
  },
  {
    file: "index.js",
    was: `    c.reserved.release = true

    const sql = Sql(handler)
    sql.release = () => {
      c.reserved = null
      onopen(c)
    }

    return sql

    function handler(q) {
      c.queue === full
`,
    is: `    c.reserved.release = true
    c.onclose = e => {
      lost = e
      while (queue.length)
        queue.shift().reject(e)
    }

    const sql = Sql(handler)
    sql.release = () => {
      if (lost)
        return
      c.reserved = c.onclose = null
      onopen(c)
    }

    return sql

    function handler(q) {
      if (lost)
        return q.reject(lost)
      c.queue === full
`,
  },
  {
    file: "index.js",
    was: `    let savepoints = 0
      , connection
`,
    is: `    let savepoints = 0
      , lost = null
      , connection
`,
  },
  {
    file: "index.js",
    was: `        new Promise((_, reject) => connection.onclose = reject)
      ])
    } catch (error) {
      throw error
    }
`,
    is: `        new Promise((_, reject) => connection.onclose = e => {
          lost = e
          while (queries.length)
            queries.shift().reject(e)
          reject(e)
        })
      ])
    } catch (error) {
      throw error
    } finally {
      lost || (connection && (connection.onclose = null))
    }
`,
  },
  {
    file: "index.js",
    was: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full
`,
    is: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
        c.queue === full
`,
  },
]
