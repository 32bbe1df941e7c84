// What a job can see and use: its environment, files, programs, HTTP. Passed in, so that every way of finding an assertion is
// tested without the platform; the real one is made here.
import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../domain/limits.ts'
import { type SendHttp, sendWithRetries, type Timing } from './send-http.ts'

export type ProgramResult =
  | { readonly kind: 'done'; readonly stdout: string }
  /** There is no such program on the PATH. */
  | { readonly kind: 'missing' }
  /** It ended with another code than 0, or not in time. `stderr` may hold anything. */
  | { readonly kind: 'failed'; readonly stderr: string }

export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Tries again what is worth trying again. */
  readonly http: SendHttp
  /** The text of a file; null where it cannot be read. */
  readonly readText: (path: string) => Promise<string | null>
  /** Never through a shell: an argument is an argument. */
  readonly runProgram: (file: string, args: readonly string[]) => Promise<ProgramResult>
}

export const systemTiming: Timing = {
  nowMs: () => performance.now(),
  sleep: (ms) => sleep(ms),
  random: Math.random, // spreads load; guards nothing
}

export const jobSurroundings = (env: Surroundings['env']): Surroundings => ({
  env,
  http: (request) => sendWithRetries(request, systemTiming),
  readText: readSmallFile,
  runProgram: (file, args) =>
    new Promise((resolve) => {
      const options = { timeout: LIMITS.clientTimeoutMs, maxBuffer: LIMITS.clientAnswerBytesMax, env: { ...env } }
      execFile(file, [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve({ kind: 'done', stdout })
        else if (error.code === 'ENOENT') resolve({ kind: 'missing' })
        else resolve({ kind: 'failed', stderr: error.killed ? 'it did not end in time' : stderr })
      })
    }),
})

/** At most a token's length and a byte, so that one too long is seen to be and a device file does no harm. */
const readSmallFile = async (path: string): Promise<string | null> => {
  try {
    const file = await open(path)
    try {
      const buffer = Buffer.alloc(LIMITS.tokenBytesMax + 1)
      let length = 0
      // A pipe gives what it has, not what was asked for.
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = (await file.read(buffer, length, buffer.length - length, null)).bytesRead
      return buffer.toString('utf8', 0, length)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}
