// Requests that a client sends ahead on one connection (RFC 9112 §9.3.2) are worked on one by one, and nothing more is read meanwhile:
// or whoever is held back by a late answer would send the next hundred requests before it came.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LIMITS } from '../../lib/domain/limits.ts'

/** Of more than LIMITS.requestsAheadMax the connection is ended: each costs memory until its turn has come. */
export const oneAtATime = (serve: RequestListener): RequestListener => {
  const waiting = new WeakMap<Socket, number>()
  return (request: IncomingMessage, response: ServerResponse) => {
    // Null while an earlier answer is owed on the same connection.
    if (response.socket !== null) {
      serve(request, response)
      return
    }
    const { socket } = request
    const ahead = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, ahead)
    if (ahead > LIMITS.requestsAheadMax) {
      socket.destroy()
      return
    }
    socket.pause()
    // node:http says so when the answer before it is out.
    response.once('socket', () => {
      const left = (waiting.get(socket) ?? 1) - 1
      waiting.set(socket, left)
      if (left === 0) socket.resume()
      serve(request, response)
    })
  }
}
