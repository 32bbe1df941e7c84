// The thread of audit-thread.ts: its own connections, its own key ring. Ends when it is told to, after a last round.
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { SMALL_CACHE_KIB } from '../../lib/adapters/sqlite/connection.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { openAuditDatabase, startAudit } from './audit.ts'
import type { AuditThreadOptions } from './audit-thread.ts'
import { countingAlarms } from './count-alarms.ts'
import { openStore } from './open-store.ts'
import { startTracing } from './tracing.ts'

/** A nice value: on a core that is full, exchanges have nine tenths of it and the log catches up behind them. */
const BEHIND_EXCHANGES = 10

// On Linux the priority is a thread's own; elsewhere it would be that of the whole broker.
if (process.platform === 'linux') setPriority(BEHIND_EXCHANGES)

const { masterKey, traceEnvironment, ...options } = workerData as AuditThreadOptions
const { dataDir, dev } = options
const opened = openStore({ dataDir, dev, masterKey, cacheKib: SMALL_CACHE_KIB })
if (!opened.ok) throw new Error('the store cannot be opened')
const { store } = opened
const audit = openAuditDatabase(dataDir, dev)
const log = countingAlarms(createLogger('mintmark'), (alarm) => parentPort?.postMessage({ alarm }))
const tracing = await startTracing(traceEnvironment)
const running = startAudit({ ...options, store, audit, log, tracing })

// The port keeps the thread alive until it is closed.
parentPort?.once('message', async () => {
  await running.close()
  await tracing?.close()
  audit.close()
  store.database.close()
  parentPort?.close()
})
