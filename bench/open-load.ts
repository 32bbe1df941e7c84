// Open-loop load: each lane sends at its own rate from its own loopback addresses, whatever comes back, and a request counts
// from the moment it was due, so that waiting behind a neighbour is seen and not hidden. One process, pinned to the second core.
import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { LOAD_CORE, pinned } from './start-server.ts'

export type Lane = {
  readonly name: string
  readonly url: string
  readonly perSecond: number
  /** One kept-alive connection from each. */
  readonly sources: readonly string[]
  /** Sent in turn, round and round. */
  readonly bodies: readonly string[]
}

export type LaneResult = {
  readonly name: string
  readonly sent: number
  readonly statuses: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
}

/** `cpuShare`: of its one core, what the generator itself took; near 1 it measured itself. */
export type LoadResult = { readonly lanes: readonly LaneResult[]; readonly cpuShare: number }

const TICK_MS = 1
const GRACE_MS = 2_000
const HEADERS_END = '\r\n\r\n'

type Waiting = { readonly body: string; readonly dueMs: number }

const startLane = (lane: Lane) => {
  const url = new URL(lane.url)
  const waiting: Waiting[] = []
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  const idle: (() => void)[] = []
  let sent = 0
  const open = (localAddress: string): Socket => {
    const socket = connect({ host: url.hostname, port: Number(url.port), localAddress })
    let current: Waiting | null = null
    let pending = ''
    const next = (): void => {
      current = waiting.shift() ?? null
      if (current === null) {
        idle.push(next)
        return
      }
      socket.write(
        `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${current.body.length}\r\n\r\n${current.body}`,
      )
    }
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      const end = pending.indexOf(HEADERS_END)
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(pending)?.[1] ?? 0)
      if (end < 0 || pending.length < end + HEADERS_END.length + length || current === null) return
      latencies.push(performance.now() - current.dueMs)
      const status = pending.slice(9, 12)
      statuses[status] = (statuses[status] ?? 0) + 1
      pending = ''
      next()
    })
    socket.on('error', () => {
      statuses['socket'] = (statuses['socket'] ?? 0) + 1
    })
    socket.once('connect', next)
    return socket
  }
  const sockets = lane.sources.map(open)
  return {
    /** Connections are kept alive: what opening them costs is not what is measured. */
    opened: (): Promise<unknown> =>
      Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done).once('error', done)))),
    /** What became due since the last tick, each at its own moment. */
    tick(elapsedMs: number, beganMs: number): void {
      for (; sent < (elapsedMs / 1_000) * lane.perSecond; sent += 1) {
        waiting.push({
          body: lane.bodies[sent % lane.bodies.length]!,
          dueMs: beganMs + (sent / lane.perSecond) * 1_000,
        })
        idle.shift()?.()
      }
    },
    isDone: (): boolean => latencies.length >= sent,
    finish(): LaneResult {
      for (const socket of sockets) socket.destroy()
      const sorted = latencies.toSorted((a, b) => a - b)
      const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
      return { name: lane.name, sent, statuses, p50Ms: at(0.5), p99Ms: at(0.99) }
    },
  }
}

type Job = { readonly lanes: readonly Lane[]; readonly seconds: number }

const run = async ({ lanes, seconds }: Job): Promise<LoadResult> => {
  const running = lanes.map(startLane)
  await Promise.all(running.map((lane) => lane.opened()))
  const began = process.cpuUsage()
  const beganMs = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - beganMs
      const isOver = elapsedMs >= seconds * 1_000
      if (!isOver) for (const lane of running) lane.tick(elapsedMs, beganMs)
      if (!isOver || (!running.every((lane) => lane.isDone()) && elapsedMs < seconds * 1_000 + GRACE_MS)) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  const { user, system } = process.cpuUsage(began)
  const cpuShare = (user + system) / 1_000 / (performance.now() - beganMs)
  return { lanes: running.map((lane) => lane.finish()), cpuShare }
}

export type OpenGenerator = { readonly run: (job: Job) => Promise<LoadResult>; readonly stop: () => void }

export const startOpenGenerator = (): OpenGenerator => {
  const [program, args] = pinned(LOAD_CORE, [fileURLToPath(import.meta.url)])
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        const gone = (code: number | null): void => reject(new Error(`the load generator exited with ${code}`))
        child.once('exit', gone)
        child.once('message', (results) => {
          child.off('exit', gone)
          resolve(results as LoadResult)
        })
        child.send(job)
      }),
    stop: () => child.disconnect(),
  }
}

if (import.meta.main) {
  process.on('message', (job: Job) => void run(job).then((results) => process.send?.(results)))
  process.on('disconnect', () => process.exit(0))
}
