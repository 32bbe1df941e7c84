// checkpoint: on a schedule, and invoked by rotate to activate a log key. The half of audit that signs: it alone opens keys of use
// `log`, and cannot append, so that whoever writes a log needs another to have it believed.
import { createAlarm } from '../../lib/edge/alarm.ts'
import { invocation } from '../../lib/edge/invocation.ts'
import { type SettlePorts, settleLogs } from '../../lib/flows/audit/settle-logs.ts'
import { type ActivationPorts, activateNamedKey } from '../../lib/flows/keys/activate-key.ts'
import { readActivateRequest, writeActivateReply } from '../../lib/wire/activate-invocation.ts'
import { isScheduled } from '../../lib/wire/lambda-events.ts'

type Wiring = {
  readonly ports: Omit<SettlePorts, 'alarm'>
  readonly activation: ActivationPorts
  readonly log: Parameters<typeof invocation>[0]['log'] & Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, activation, log }: Wiring) => {
  const alarm = createAlarm('checkpoint', log)
  const activate = invocation({
    name: 'checkpoint',
    read: readActivateRequest,
    handle: (named) => activateNamedKey(activation, named),
    reply: writeActivateReply,
    log,
  })
  return async (payload: unknown): Promise<unknown> =>
    isScheduled(payload) ? settleLogs({ ...ports, alarm }) : activate(payload)
}
