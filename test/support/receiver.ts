// A real HTTPS receiver of SETs on loopback, as a stranger would write one: notes what came, and answers as it is told to.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { issueCertificate, newAuthority } from './certificates.ts'

const authority = newAuthority('test authority')
const identity = issueCertificate(authority, { subject: 'localhost', dnsNames: ['localhost'] })

export type Got = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string }
export type Answering = (response: ServerResponse, got: Got) => void

export const ACCEPTED: Answering = (response) => response.writeHead(202).end()

export const authorityPem = authority.cert

/** A file with the authority, for NODE_EXTRA_CA_CERTS. */
export const authorityFile = (): { readonly path: string; readonly remove: () => void } => {
  const directory = mkdtempSync(join(tmpdir(), 'mintmark-ca-'))
  const path = join(directory, 'ca.pem')
  writeFileSync(path, authority.cert)
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** `port`: that of one that went down before. */
export const startReceiver = async (answering: Answering = ACCEPTED, port = 0) => {
  const got: Got[] = []
  let answer = answering
  const server = createServer(identity, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString(), path: request.url ?? '' }
      got.push(one)
      answer(response, one)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: listening } = server.address() as AddressInfo
  return {
    port: listening,
    url: (path = '/revocations') => `https://localhost:${listening}${path}`,
    got,
    /** Their jti, in the order they came. */
    jtis: (path?: string) =>
      got.filter((one) => path === undefined || one.path === path).map(({ body }) => decodeJwt(body).jti),
    answer(next: Answering) {
      answer = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
