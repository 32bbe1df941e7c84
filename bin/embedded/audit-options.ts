// What the audit stream of the embedded broker is wired from.
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import type { createAlarm } from '../../lib/edge/alarm.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import type { OpenStore } from './open-store.ts'

export type AuditOptions = {
  readonly store: OpenStore
  readonly audit: Database
  readonly dataDir: string
  readonly dev: boolean
  readonly baseUrl: string
  readonly secretsDir: string
  readonly egressAllow: readonly string[]
  readonly budgetBytes: number
  /** As `--anchor` says them. */
  readonly anchors: readonly string[]
  readonly log: Parameters<typeof createAlarm>[1]
  readonly tracing?: Tracing | undefined
  readonly failpoint?: (name: 'read' | 'appended' | 'signed' | 'delivered') => void
}
