// What a request brings: read as a gateway hands it on, within bounds, or left unread.
import { isAscii } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '../../lib/domain/limits.ts'

export type Body = { readonly body: string; readonly isBase64Encoded: boolean }

/** The body as a gateway hands it on: ASCII as text, anything else as base64, so that not a byte is lost. Null: too large. */
export const readBody = (request: IncomingMessage, done: (body: Body | null) => void): void => {
  const chunks: Buffer[] = []
  let size = 0
  let isOver = false
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (isOver) return
    if (size > LIMITS.bodyBytesMax) {
      isOver = true
      return done(null)
    }
    chunks.push(chunk)
  })
  request.on('end', () => {
    if (isOver) return
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    // The request lives as long as its answer is held; what it brought need not.
    chunks.length = 0
    const isBase64Encoded = !isAscii(bytes)
    done({ body: bytes.toString(isBase64Encoded ? 'base64' : 'latin1'), isBase64Encoded })
  })
  request.on('error', () => undefined) // the client left; there is nobody to answer
}

/** Leaves a body unread. One that is known to be short goes by; what is left of another is not worth reading, and the connection ends. */
export const passOver = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.headers['transfer-encoding'] === undefined && declaredLength(request) <= LIMITS.bodyBytesMax) {
    request.resume()
    return
  }
  response.shouldKeepAlive = false
  response.once('finish', () => request.destroy())
}

/** Whether the client waits to be asked for its body. One of HTTP/1.0 would take that for the answer (RFC 9110 §10.1.1). */
export const waitsToBeAsked = ({ headers, httpVersion }: IncomingMessage): boolean =>
  httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue'

export const declaredLength = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0)
