// A real HTTP server on loopback that plays a SIEM: keeps what it was sent, unpacked, and answers as the test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { eventsOf } from '../../lib/domain/ocsf/map-entry.ts'
import { SAMPLE_ENTRIES, SAMPLE_PLACE, SAMPLE_RECORD } from './audit-entries.ts'

export type Received = {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** As it was sent, unpacked. */
  readonly text: string
  readonly bytes: Buffer
}
export type Reply = (received: Received, response: ServerResponse) => void

export const json = (response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

/** Closed after the test. `reply` may be changed while it runs. */
export const startReceiver = async (reply: Reply, port = 0) => {
  const all: Received[] = []
  const receiver: { reply: Reply; readonly all: Received[]; url: string; close: () => void } = {
    reply,
    all,
    url: '',
    close: () => undefined,
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8')
      const received = { path: request.url ?? '', headers: request.headers, text, bytes }
      all.push(received)
      receiver.reply(received, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  receiver.close = () => {
    server.closeAllConnections()
    server.close()
  }
  onTestFinished(receiver.close)
  return receiver
}

/** One event of every kind the audit stream has, of the samples, in canonical text. */
export const sampleEvents = (): string[] =>
  Object.values(SAMPLE_ENTRIES).flatMap((entry) =>
    eventsOf(entry, SAMPLE_PLACE, () => SAMPLE_RECORD).map((event) => canonicalJson(event)),
  )

export const uidOf = (canonical: string): string => (JSON.parse(canonical) as OcsfEvent).metadata.uid
