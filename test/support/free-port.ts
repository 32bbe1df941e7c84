// A port of 127.0.0.1 that nobody listens on: for servers that must be told one before they start. Not one of those that the
// system gives out by itself: until the server has it, and between two runs of it, every client of every test is given some of them.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const [LOWEST, EPHEMERAL] = [15_000, 32_000]

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(LOWEST, EPHEMERAL)
    if (await isFree(port)) return port
  }
}
