// The audit log in a thread of its own: canonical texts and hashes cost as much as an exchange, and mint's loop has none of it.
// A thread that dies is started again; the feed waits meanwhile.
import { Worker } from 'node:worker_threads'
import type { TraceEnvironment } from '../../lib/config/tracing.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { AuditOptions } from './audit-options.ts'

/** What goes to the thread as it is; the rest it opens itself. */
export type AuditThreadOptions = Pick<
  AuditOptions,
  'dataDir' | 'dev' | 'baseUrl' | 'secretsDir' | 'egressAllow' | 'budgetBytes' | 'anchors'
> & {
  /** Value of MINTMARK_MASTER_KEY. */
  readonly masterKey: string | undefined
  readonly traceEnvironment: TraceEnvironment
}

type Log = { error(message: string, fields: Record<string, unknown>): void }

const CLOSE_MS = 10_000
/** A round holds some hundred records, fewer where they are long (`feedLengthPerRound`); without a bound the thread keeps what it once needed. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 }

/** `countAlarm`: told of each alarm that the thread logged. */
export const startAuditThread = (
  options: AuditThreadOptions,
  log: Log,
  countAlarm: (kind: unknown) => void = () => undefined,
): { readonly close: () => Promise<void> } => {
  let isClosing = false
  let restart: NodeJS.Timeout | undefined
  const start = (): Worker => {
    const started = new Worker(new URL('./audit-worker.ts', import.meta.url), {
      workerData: options,
      resourceLimits: HEAP,
    })
    started.on('message', ({ alarm }: { readonly alarm?: unknown }) => countAlarm(alarm))
    // Its message may hold anything; the exit that follows is what is acted on.
    started.on('error', () => log.error('the audit thread failed', { function: 'audit' }))
    started.on('exit', () => {
      if (isClosing) return
      restart = setTimeout(() => {
        worker = start()
      }, LIMITS.logRoundMs)
    })
    return started
  }
  let worker = start()
  return {
    async close() {
      isClosing = true
      clearTimeout(restart)
      if (worker.threadId === -1) return
      // Whichever way it ends: one that fails now is told of above, and must not keep the broker from closing the rest.
      const exited = new Promise((resolve) => worker.once('exit', resolve))
      worker.postMessage('close')
      const timer = setTimeout(() => void worker.terminate(), CLOSE_MS)
      await exited
      clearTimeout(timer)
    },
  }
}
