// What the reference servers of the bench share: listening on a free loopback port, reading a form, answering JSON.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JSONWebKeySet } from 'jose'

const LARGEST_BODY = 16 * 1024

export type PeerSettings = { readonly jwks: JSONWebKeySet; readonly audience: string; readonly issuer: string }

/** The settings file that run.ts writes; its path is the first argument of a peer. */
export const readPeerSettings = (): PeerSettings =>
  JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as PeerSettings

/** Listens on 127.0.0.1, port 0, and prints the line that start-server.ts waits for. */
export const listen = (listener: RequestListener): void => {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener)
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`bench listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
  })
}

/** Collects a body of at most 16 KiB; a longer one ends the connection. */
export const readForm = (request: IncomingMessage, done: (form: URLSearchParams) => void): void => {
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > LARGEST_BODY) request.destroy()
    else chunks.push(chunk)
  })
  request.on('end', () => done(new URLSearchParams(Buffer.concat(chunks).toString('latin1'))))
}

export const answerJson = (response: ServerResponse, status: number, value: unknown): void => {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  })
  response.end(body)
}
