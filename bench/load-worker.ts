// The load generator's process: 32 kept-alive connections over node:net, each sending the next presigned body as soon as
// the last answer is complete (closed loop). Talks IPC with load.ts. Reads no more of HTTP than status and length.
import { closeSync, openSync, readSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { LoadRequest, LoadResult } from './load.ts'

const GRACE_MS = 5_000
const HEADERS_END = Buffer.from('\r\n\r\n')

const readBodies = (job: LoadRequest): Buffer => {
  const bytes = Buffer.allocUnsafe(job.count * job.bodyLength)
  const file = openSync(job.file, 'r')
  try {
    let filled = 0
    while (filled < bytes.length) {
      const read = readSync(file, bytes, filled, bytes.length - filled, job.first * job.bodyLength + filled)
      if (read === 0) throw new Error('the file of presigned bodies is too short')
      filled += read
    }
  } finally {
    closeSync(file)
  }
  return bytes
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0

const run = (job: LoadRequest): Promise<LoadResult> => {
  const bodies = readBodies(job)
  const url = new URL(job.url)
  const suffix = Buffer.from(job.suffix)
  const head = Buffer.from(
    `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${job.bodyLength + suffix.length}\r\n\r\n`,
  )
  const latencies: number[] = []
  const failures: Record<string, number> = {}
  let next = 0
  let open = job.connections
  const sockets: Socket[] = []
  const cpuBefore = process.cpuUsage()
  const began = performance.now()
  const deadline = began + job.seconds * 1_000
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(guard)
      const ms = performance.now() - began
      const cpu = process.cpuUsage(cpuBefore)
      latencies.sort((a, b) => a - b)
      for (const socket of sockets) socket.destroy()
      const cpuShare = (cpu.user + cpu.system) / 1_000 / ms
      const p50 = quantile(latencies, 0.5)
      resolve({
        answered: latencies.length,
        used: Math.min(next, job.count),
        failures,
        seconds: ms / 1_000,
        p50Ms: p50,
        p99Ms: quantile(latencies, 0.99),
        cpuShare,
      })
    }
    // A server that stops answering must not hang the bench.
    const guard = setTimeout(finish, job.seconds * 1_000 + GRACE_MS)
    const leave = (): void => {
      open -= 1
      if (open === 0) finish()
    }
    const talk = (socket: Socket): void => {
      let sentAt = 0
      let pending: Buffer | null = null
      let hasLeft = false
      const end = (): void => {
        if (!hasLeft) leave()
        hasLeft = true
      }
      const send = (): void => {
        if (performance.now() >= deadline || (next >= job.count && !job.wrap)) {
          end()
          return
        }
        const at = (next % job.count) * job.bodyLength
        next += 1
        sentAt = performance.now()
        socket.write(Buffer.concat([head, bodies.subarray(at, at + job.bodyLength), suffix]))
      }
      socket.on('data', (chunk) => {
        const all: Buffer = pending === null ? chunk : Buffer.concat([pending, chunk])
        pending = all
        const headEnd = all.indexOf(HEADERS_END)
        if (headEnd < 0) return
        const headers = all.toString('latin1', 0, headEnd)
        const length = /\r\ncontent-length: *(\d+)/i.exec(headers)?.[1]
        if (length === undefined) {
          failures['no content-length'] = (failures['no content-length'] ?? 0) + 1
          return end()
        }
        if (all.length < headEnd + 4 + Number(length)) return
        pending = null
        latencies.push(performance.now() - sentAt)
        const status = headers.slice(9, 12)
        if (status !== '200') failures[status] = (failures[status] ?? 0) + 1
        send()
      })
      socket.on('error', () => {
        failures['socket'] = (failures['socket'] ?? 0) + 1
      })
      socket.on('close', end)
      socket.on('connect', send)
      socket.setNoDelay(true)
    }
    for (let i = 0; i < job.connections; i += 1) {
      const socket = connect(Number(url.port), url.hostname)
      sockets.push(socket)
      talk(socket)
    }
  })
}

process.on('message', (job: LoadRequest) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
