// A real HTTP server on loopback that misbehaves as its path says, and counts its hits.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Script = (response: ServerResponse) => void

export const startHostileServer = async (scripts: Record<string, Script>) => {
  let hits = 0
  const server = createServer((request, response) => {
    hits += 1
    const script = scripts[request.url ?? '']
    if (script) script(response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: (path: string) => `http://localhost:${port}${path}`,
    hits: () => hits,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
