// `mintmark revoke` over HTTP: the order is accepted by the broker, carried out from its queue, and waited for.
import { setTimeout as sleep } from 'node:timers/promises'
import { done, type Outcome as Tried } from '../../lib/client/outcome.ts'
import { ORDER_REFUSALS, type OrderRefusal } from '../../lib/domain/revocation-order.ts'
import type { Asked, Outcome } from '../revocation-outcome.ts'
import type { Afar } from './call-tenant.ts'

const WAIT_MS = 10_000
const POLL_MS = 100

export const orderFromAfar = async ({ call }: Afar, asked: Asked, isDryRun: boolean): Promise<Tried<Outcome>> => {
  const { kind, value, form, reason } = asked
  const request = { kind, value, reason, cut: form === 'cut', dry_run: isDryRun }
  const answered = await call('admin/revocations', request)
  if (!answered.ok) {
    const refusal = answered.problem.facts?.['refusal']
    return typeof refusal === 'string' && Object.hasOwn(ORDER_REFUSALS, refusal)
      ? done({ kind: 'refused', refusal: refusal as OrderRefusal })
      : answered
  }
  const outcome = answered.value as unknown as Extract<Outcome, { kind: 'accepted' | 'dry_run' }>
  return done(outcome.kind === 'dry_run' ? outcome : await inForce(call, outcome))
}

const inForce = async (call: Afar['call'], accepted: Extract<Outcome, { kind: 'accepted' }>): Promise<Outcome> => {
  const { order } = accepted
  for (const untilMs = performance.now() + WAIT_MS; performance.now() < untilMs; await sleep(POLL_MS)) {
    const found = await call(`admin/orders/${order.id}`)
    if (found.ok) {
      const { revocations } = found.value['applied'] as { readonly revocations: readonly string[] }
      return { kind: 'in_force', order, revocations }
    }
    // What was ordered may be the end of the operator's own token: there is nothing more to be learned with it.
    if (found.problem.facts?.['status'] === 401) break
  }
  return accepted
}
