// revoke: takes revocation orders from its queue. May deny, may not use: it has no key that signs tokens and no role of a
// tenant.

import type { LiftOrder } from '../../lib/domain/revocation-order.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import type { LiftOutcome } from '../../lib/flows/revocation/carry-out-lift.ts'
import { type RevokePorts, revokeOrder } from '../../lib/flows/revocation/revoke-order.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import { keptOrder, readOrder } from '../../lib/wire/revocation-order.ts'

type Wiring = {
  readonly ports: RevokePorts
  /** Left out where no operator calls from afar: then nothing is lifted over the queue. */
  readonly lift?: (order: LiftOrder) => Promise<LiftOutcome>
  /** Where the store writes together what comes together; elsewhere orders of a tenant would contend for one row. */
  readonly sideBySide?: boolean
  /** Left out where whoever pushes looks by itself. */
  readonly wake?: (tenant: string) => Promise<void>
  readonly quarantine: Quarantine
  readonly log: Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, lift, sideBySide = false, wake, quarantine, log }: Wiring) => {
  const alarm = createAlarm('revoke', log)
  return queueConsumer({
    name: 'revoke',
    read: readOrder,
    tenantOf: ({ tenant }) => tenant,
    kept: keptOrder,
    // A lift is of what was ordered before it; two orders never undo each other.
    isFree: (order) => sideBySide && !('lifts' in order),
    handle: async (order, sender) => {
      if ('lifts' in order) {
        const lifted = (await lift?.(order)) ?? { refusal: 'proof_not_accepted' }
        if (lifted !== 'done') return { poison: lifted.refusal }
        await wake?.(order.tenant)
        return 'done'
      }
      const outcome = await revokeOrder(ports, order, sender)
      if (outcome.kind === 'refused') return { poison: outcome.refusal }
      for (const { role, outcome: became } of outcome.applied.roles ?? []) {
        const of = { tenant: order.tenant, order: order.id, role }
        if (became === 'shut') alarm('role_shut', of)
        if (became === 'out_of_reach') alarm('sessions_out_of_reach', of)
      }
      await wake?.(order.tenant)
      return 'done'
    },
    quarantine: quarantine.put,
    alarm,
    log,
  })
}
