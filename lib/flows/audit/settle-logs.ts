// Where nothing runs between requests: every log that has grown is signed and anchored in one run. A log is done when all that was signed
// of it is anchored everywhere; one that is not, for whatever reason, is due again with the next run.
import type { Anchor } from '../../ports/anchors.ts'
import type { GrownLogs, PublishedLog } from '../../ports/tenant-log.ts'
import { type AnchorPorts, anchorCheckpoints } from './anchor-checkpoints.ts'
import { type CheckpointPorts, checkpointLogs } from './checkpoint-log.ts'

export type SettlePorts = Omit<CheckpointPorts, 'failpoint'> &
  Omit<AnchorPorts, 'log' | 'anchors'> & {
    readonly grown: GrownLogs
    readonly log: Pick<PublishedLog, 'checkpoint' | 'tile'>
    readonly anchors: readonly Anchor[]
  }

/** Throws Unavailable: what is left is found by the next run. */
export const settleLogs = async (ports: SettlePorts): Promise<void> => {
  // As of before: what grows meanwhile stays due.
  const due = await ports.grown.due()
  await checkpointLogs(ports)
  await anchorCheckpoints({ ...ports, log: { ...ports.log, tenants: async () => due } })
  for (const tenant of due) {
    const size = await settledSize(ports, tenant)
    if (size > 0) await ports.grown.settled(tenant, size)
  }
}

const settledSize = async ({ log, anchors, records }: SettlePorts, tenant: string): Promise<number> => {
  const kept = await records.of(tenant)
  const anchored = anchors.map(({ name }) => kept.find(({ anchor }) => anchor === name)?.size ?? 0)
  return Math.min((await log.checkpoint(tenant))?.size ?? 0, ...anchored)
}
