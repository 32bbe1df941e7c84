// A revocation order on AWS: drafted from the tables, put on the queue that revoke takes it from, and watched until what it names
// is denied. The queue names the sender to revoke; nothing in the message could.
import { setTimeout as sleep } from 'node:timers/promises'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Revocation, Selector } from '../../lib/domain/revocation.ts'
import type { OrderRefusal, RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { type Asked, draftOrder } from '../../lib/flows/revocation/draft-order.ts'
import type { ApplyPorts } from '../../lib/flows/tenants/apply-tenants.ts'
import { awsCaller, openAwsOrders } from './core-table.ts'

/** Above what revoke takes with a cold start and a denial on each of some roles; then the operator is told to look. */
const IN_FORCE_MS_MAX = 30_000
const LOOK_MS = 300

export type AwsOutcome =
  | { readonly kind: 'refused'; readonly refusal: OrderRefusal }
  | { readonly kind: 'accepted'; readonly order: RevocationOrder }
  | { readonly kind: 'in_force'; readonly order: RevocationOrder; readonly revocations: readonly string[] }

/** Throws Unavailable. */
export const orderOnAws = async (asked: Omit<Asked, 'proof'>, stage: string): Promise<AwsOutcome> => {
  const { configs, revocations, decisions, close } = openAwsOrders()
  try {
    const drafting = { configs, decisions, clock: systemClock, ids: createIds(systemClock) }
    const draft = await draftOrder(drafting, { ...asked, proof: { kind: 'sender' } })
    if (!draft.ok) return { kind: 'refused', refusal: draft.refusal }
    const order = draft.value
    await sendOnAws(order, stage)
    for (const deadline = Date.now() + IN_FORCE_MS_MAX; Date.now() < deadline; await sleep(LOOK_MS)) {
      const ids = idsInForce(order, await revocations.list(order.tenant))
      if (ids !== null) return { kind: 'in_force', order, revocations: ids }
    }
    return { kind: 'accepted', order }
  } finally {
    close()
  }
}

const sendOnAws = async (order: RevocationOrder, stage: string): Promise<void> => {
  const { account, region } = await awsCaller()
  // As for every other service, the endpoint is the environment's to say and not the queue's.
  const client = new SQSClient({ maxAttempts: 3, useQueueUrlAsEndpoint: false })
  try {
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    const queueUrl = `https://sqs.${region}.${suffix}/${account}/mintmark-${stage}-revoke`
    await createSqsQueue({ client, queueUrl }).send(order, { group: order.tenant, dedupe: order.id })
  } finally {
    client.destroy()
  }
}

/** What `apply --aws` takes back: accepted when it resolves, and carried out by revoke, which alone writes revocations. */
export const cutOnAws =
  (stage: string): NonNullable<ApplyPorts['cut']> =>
  ({ tenant, selectors, reason }) =>
    sendOnAws(
      {
        v: 1,
        id: createIds(systemClock).decisionId(),
        tenant,
        selectors,
        form: 'cut',
        reason,
        proof: { kind: 'sender' },
        orderedAtSeconds: systemClock.nowSeconds(),
      },
      stage,
    )

/** One id a selector; null: not all are in force. A cut must be this order's own, or later. */
const idsInForce = ({ selectors, form, orderedAtSeconds }: RevocationOrder, all: readonly Revocation[]) => {
  const found = selectors.map((selector) =>
    all.find(
      (revocation) =>
        isSame(revocation, selector) &&
        revocation.form === form &&
        (revocation.notBeforeSeconds ?? Number.POSITIVE_INFINITY) > orderedAtSeconds,
    ),
  )
  return found.every((revocation) => revocation !== undefined) ? found.map(({ id }) => id) : null
}

const isSame = (a: Selector, b: Selector): boolean => a.kind === b.kind && a.issuer === b.issuer && a.value === b.value
