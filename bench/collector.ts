// A receiver of OTLP logs over loopback HTTP, on a thread of its own, which answers at once and counts.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'

type Told = { readonly port: number } | { readonly events: number }

const RECORD = '"timeUnixNano"'

const receive = (): void => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1')
      parentPort?.postMessage({ events: text.split(RECORD).length - 1 } satisfies Told)
      response.setHeader('content-type', 'application/json')
      response.end('{}')
    })
  })
  server.listen(0, '127.0.0.1', () =>
    parentPort?.postMessage({ port: (server.address() as AddressInfo).port } satisfies Told),
  )
}

export const startCollector = async () => {
  const worker = new Worker(new URL(import.meta.url))
  let events = 0
  let firstMs = 0
  let lastMs = 0
  const port = await new Promise<number>((resolve) =>
    worker.on('message', (told: Told) => {
      if ('port' in told) return resolve(told.port)
      firstMs ||= performance.now()
      lastMs = performance.now()
      events += told.events
    }),
  )
  return {
    url: `http://127.0.0.1:${port}/v1/logs`,
    /** Until so many are here, or that long after the first: how many there are, and seconds from the first to the last. */
    async until(count: number, secondsMax: number) {
      const began = performance.now()
      const isLate = () => performance.now() - (firstMs || began) > secondsMax * 1_000
      while (events < count && !isLate()) await new Promise((resolve) => setTimeout(resolve, 50))
      if (events === 0) throw new Error(`no event has come in ${secondsMax} s`)
      return { events, seconds: (lastMs - firstMs) / 1_000 }
    },
    stop: () => worker.terminate(),
  }
}

if (!isMainThread) receive()
