// Signs what logs have become. INVARIANT: a root is signed only after the tree it is of was committed, so two roots of one size
// are never signed, whoever crashes where; and a crash after signing signs the same once more.
import type { Alarm } from '../../domain/alarm.ts'
import type { Sha256 } from '../../domain/tlog/merkle.ts'
import { checkpointText } from '../../domain/tlog/signed-note.ts'
import { rootOfEdge } from '../../domain/tlog/tiles.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogSigner, LogStore } from '../../ports/tenant-log.ts'

export type CheckpointPorts = {
  readonly store: Pick<LogStore, 'head' | 'putCheckpoint' | 'uncovered'>
  readonly signer: Pick<LogSigner, 'sign'>
  readonly sha256: Sha256
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly alarm: Alarm
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'signed') => void
}

/** Every log that has grown since its last checkpoint. One that cannot be signed now does not hold up the others. */
export const checkpointLogs = async (ports: CheckpointPorts): Promise<void> => {
  for (const tenant of await ports.store.uncovered()) {
    try {
      await checkpointLog(ports, tenant)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      ports.alarm('log_not_signed', { tenant, reason: error.kind })
    }
  }
}

const checkpointLog = async (ports: CheckpointPorts, tenant: string): Promise<void> => {
  const head = await ports.store.head(tenant)
  if (head === null) return
  const { origin, edge } = head
  const text = checkpointText({ origin, size: edge.size, root: rootOfEdge(ports.sha256, edge) })
  const note = await ports.signer.sign(tenant, origin, text)
  ports.failpoint?.('signed')
  await ports.store.putCheckpoint(tenant, { size: edge.size, note }, ports.clock.nowSeconds())
}
