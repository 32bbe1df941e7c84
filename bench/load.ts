// The load generator seen from the run: one process pinned to the second core, told of one window at a time. It is our own
// (node:net), so the bench runs wherever Node does; it reports its own CPU share, without which a ratio means nothing.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LOAD_CORE, pinned } from './start-server.ts'

/** One window. Bodies `first` to `first + count` of the file are used once each, or round and round with `wrap`. */
export type LoadRequest = {
  readonly url: string
  readonly file: string
  readonly bodyLength: number
  readonly first: number
  readonly count: number
  readonly wrap: boolean
  readonly suffix: string
  readonly connections: number
  readonly seconds: number
}

/** `failures` counts by status or reason every answer that was not 200; `used` bodies have been sent. */
export type LoadResult = {
  readonly answered: number
  readonly used: number
  readonly failures: Readonly<Record<string, number>>
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuShare: number
}

export type LoadGenerator = { readonly run: (request: LoadRequest) => Promise<LoadResult>; readonly stop: () => void }

export const startGenerator = (): LoadGenerator => {
  const [program, args] = pinned(LOAD_CORE, [fileURLToPath(new URL('./load-worker.ts', import.meta.url))])
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const run = (request: LoadRequest): Promise<LoadResult> =>
    new Promise((resolve, reject) => {
      const gone = (code: number | null): void => reject(new Error(`the load generator exited with ${code}`))
      child.once('exit', gone)
      child.once('message', (message) => {
        child.off('exit', gone)
        const answer = message as LoadResult | { readonly error: string }
        if ('error' in answer) reject(new Error(answer.error))
        else resolve(answer)
      })
      child.send(request)
    })
  return { run, stop: () => child.disconnect() }
}
