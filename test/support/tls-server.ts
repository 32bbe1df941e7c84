// A real HTTPS server on a loopback address: notes who was asked for, and how many requests came through the handshake.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Identity } from './certificates.ts'
import type { Script } from './hostile-server.ts'

export type Asked = { readonly servername: unknown; readonly host: string | undefined }

/** Closed after the test. */
export const startTlsServer = async (
  identity: Identity,
  script: Script,
  { address = '127.0.0.1', port = 0, ...tls }: TlsOptions & { address?: string; port?: number } = {},
) => {
  const asked: Asked[] = []
  let connections = 0
  const server = createServer({ ...identity, ...tls }, (request, response) => {
    asked.push({ servername: (request.socket as TLSSocket).servername, host: request.headers.host })
    script(response)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked, connections: () => connections }
}
