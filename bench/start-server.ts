// Starts one server or generator process pinned to a core (where taskset exists), reads its CPU time and memory from
// /proc, and stops it by its own pid.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const READY = /(?:bench|mintmark) listening on (\S+)/
const START_MS = 600_000
const STOP_MS = 10_000
const TICKS_PER_SECOND = 100
export const SERVER_CORE = 0
export const LOAD_CORE = 1
/** The generator has its share of one of them. */
export const BOTH_CORES = `${SERVER_CORE},${LOAD_CORE}`

const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0

export type RunningServer = {
  readonly url: string
  readonly pid: number
  readonly startMs: number
  readonly stop: () => Promise<void>
}

/** Program and arguments that run `args` under this Node on one core (or `0,1`), or anywhere where pinning is impossible. */
export const pinned = (core: number | string, args: readonly string[]): readonly [string, readonly string[]] =>
  canPin ? ['taskset', ['-c', String(core), process.execPath, ...args]] : [process.execPath, args]

export const isPinned = (): boolean => canPin

const stopChild = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}

/** Resolves once the process printed its address; throws with its output when it ends first or takes over two minutes. */
export const startServer = async (
  args: readonly string[],
  core: number | string = SERVER_CORE,
): Promise<RunningServer> => {
  const began = performance.now()
  const [program, argv] = pinned(core, args)
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no address within ${START_MS} ms: ${output}`)), START_MS)
      const read = (chunk: Buffer): void => {
        // The last lines are enough for an error message; a broker that logs every request must not fill our memory.
        output = (output + chunk.toString()).slice(-4_000)
        const found = READY.exec(output)?.[1]
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('error', reject)
      child.once('exit', (code) => {
        clearTimeout(timer)
        reject(new Error(`exited with ${code}: ${output}`))
      })
    })
    return { url, pid: child.pid!, startMs: performance.now() - began, stop: () => stopChild(child) }
  } catch (error) {
    await stopChild(child)
    throw error
  }
}

/** CPU seconds of a process so far, in steps of 10 ms, or null where there is no /proc. taskset execs, so pid is the server. */
export const cpuSeconds = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return null
  }
}

/** Resident memory in MB (1e6 bytes), or null where there is no /proc. */
export const residentMegabytes = (pid: number): number | null => {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kib === undefined ? null : (Number(kib) * 1024) / 1e6
  } catch {
    return null
  }
}
