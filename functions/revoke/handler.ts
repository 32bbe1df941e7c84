// revoke: takes revocation orders from its queue. May deny, may not use: it has no key that signs tokens and no role of a
// tenant.
import { createAlarm } from '../../lib/edge/alarm.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import { type RevokePorts, revokeOrder } from '../../lib/flows/revoke-order.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import { readOrder } from '../../lib/wire/revocation-order.ts'

type Wiring = {
  readonly ports: RevokePorts
  readonly quarantine: Quarantine
  readonly log: Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, quarantine, log }: Wiring) =>
  queueConsumer({
    name: 'revoke',
    read: readOrder,
    tenantOf: ({ tenant }) => tenant,
    handle: async (order, sender) => {
      const outcome = await revokeOrder(ports, order, sender)
      return outcome.kind === 'applied' ? 'done' : { poison: outcome.refusal }
    },
    quarantine: quarantine.put,
    alarm: createAlarm('revoke', log),
    log,
  })
