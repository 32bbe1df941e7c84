// push: sends SETs to the webhooks of tenants. Woken by revoke after a change and by itself for a retry; by the clock it wakes whoever
// was left. It has a way out to strangers, and so neither a key nor the right to revoke.
import { createAlarm } from '../../lib/edge/alarm.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import { pushTogether, sweepReceivers, type WokenPorts } from '../../lib/flows/revocation/push-when-woken.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import type { ReceiverStates } from '../../lib/ports/receivers.ts'
import type { QueueEvent } from '../../lib/wire/lambda-events.ts'
import { readWake } from '../../lib/wire/push-wake.ts'

type Wiring = {
  readonly ports: WokenPorts & { readonly receivers: ReceiverStates }
  readonly quarantine: Quarantine
  readonly log: Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, quarantine, log }: Wiring) => {
  const alarm = createAlarm('push', log)
  const woken = (batch: QueueEvent) => {
    const push = pushTogether(ports)
    const consume = queueConsumer({
      name: 'push',
      read: readWake,
      tenantOf: ({ tenant }) => tenant,
      handle: async ({ tenant }) => {
        await push(tenant)
        return 'done'
      },
      quarantine: quarantine.put,
      alarm,
      log,
    })
    return consume(batch)
  }
  return (event: QueueEvent | object) =>
    'Records' in event ? woken(event as QueueEvent) : sweepReceivers({ ...ports, alarm })
}
