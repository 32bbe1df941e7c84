// What node:http itself refuses, before there is a request or while its body is awaited: constant JSON, and the connection goes.
// An answer that is owed, or was begun, is never followed by another one that a client could take for it.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { httpError, malformedHttp, tooLarge } from '../../lib/edge/form-request.ts'
import type { HttpResponse } from '../../lib/edge/http.ts'

const REFUSED: Readonly<Record<string, HttpResponse>> = {
  ERR_HTTP_REQUEST_TIMEOUT: httpError(408, 'request_timeout', 'The request did not come in time'),
  HPE_HEADER_OVERFLOW: httpError(431, 'headers_too_large', 'The headers are larger than the limit'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: tooLarge(),
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

/** `count` is told the status of each answer. */
export const answerConnectionErrors = (server: Server, count: (status: number) => void): void => {
  const lastOn = new WeakMap<Duplex, { readonly request: IncomingMessage; readonly response: ServerResponse }>()
  server.on('request', (request, response) => lastOn.set(request.socket, { request, response }))
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    const last = lastOn.get(socket)
    // The error is of the last request while that is incomplete, and else of one we never saw.
    const isOfLast = last !== undefined && !last.request.complete
    if (last !== undefined && !isOfLast && !last.response.writableFinished && socket.writable) {
      last.response.once('close', () => socket.destroy())
      return
    }
    // `response.socket` is null while an earlier answer is owed on the same connection.
    const isAnswered = isOfLast && (last.response.headersSent || last.response.socket === null)
    if (code === 'ECONNRESET' || !socket.writable || isAnswered) socket.destroy()
    else {
      const answer = REFUSED[code] ?? malformedHttp()
      count(answer.statusCode)
      socket.end(textOf(answer), () => socket.destroy())
    }
  })
}

const textOf = ({ statusCode, headers, body }: HttpResponse): string => {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${statusCode} ${REASONS[statusCode]}\r\n${head}\r\n${body}`
}
