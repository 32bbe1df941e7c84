// checkpoint: on a schedule, and invoked by rotate to activate a log key, by deliver to sign what a webhook is sent. The half of
// audit that signs: it alone opens keys of use `log`, and cannot append, so that whoever writes a log needs another to have it
// believed.
import { createAlarm } from '../../lib/edge/alarm.ts'
import { byAlias, invocation } from '../../lib/edge/invocation.ts'
import { type SettlePorts, settleLogs } from '../../lib/flows/audit/settle-logs.ts'
import { type SignWebhookPorts, signNamedWebhook } from '../../lib/flows/audit/sign-webhook.ts'
import { type ActivationPorts, activateNamedKey } from '../../lib/flows/keys/activate-key.ts'
import { readActivateRequest, writeActivateReply } from '../../lib/wire/activate-invocation.ts'
import { readWebhookRequest, writeWebhookReply } from '../../lib/wire/webhook-invocation.ts'

type Wiring = {
  readonly ports: Omit<SettlePorts, 'alarm'>
  readonly signing: SignWebhookPorts
  readonly activation: ActivationPorts
  readonly log: Parameters<typeof invocation>[0]['log'] & Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, signing, activation, log }: Wiring) => {
  const alarm = createAlarm('checkpoint', log)
  const activate = invocation({
    name: 'checkpoint',
    read: readActivateRequest,
    handle: (named) => activateNamedKey(activation, named),
    reply: writeActivateReply,
    log,
  })
  const webhook = invocation({
    name: 'checkpoint',
    read: readWebhookRequest,
    handle: (named) => signNamedWebhook(signing, named),
    reply: writeWebhookReply,
    log,
  })
  return byAlias('checkpoint', { activate, webhook }, log, () => settleLogs({ ...ports, alarm }))
}
