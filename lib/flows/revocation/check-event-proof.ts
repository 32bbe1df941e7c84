// The proof of an order that a security event became (design §2: orders carry their proof and `revoke` verifies it again). A
// queue lies between: whoever can write to it has an order carried out only if its event is authentic, of this tenant, and
// still means exactly this order by the tenant document and the keys of now.
import { LIMITS } from '../../domain/limits.ts'
import type { Result } from '../../domain/result.ts'
import { isSameOrder, type RevocationOrder } from '../../domain/revocation-order.ts'
import type { OrderProofs } from '../../ports/revocation-orders.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { type EventReport, orderOfEvent } from '../events/take-event.ts'
import { type AwsEvent, type FindingPorts, reportsOfFinding } from '../events/take-findings.ts'
import { type GithubPorts, verifyGithubAlert } from '../events/verify-github-alert.ts'
import { type LeakPorts, reportOfLeak } from '../events/verify-leak.ts'
import { type SetPorts, sourceOfSet, verifySet } from '../events/verify-set.ts'
import type { DraftPorts } from './draft-order.ts'

export type EventProofPorts = SetPorts &
  GithubPorts &
  LeakPorts &
  DraftPorts & { readonly tenants: Pick<TenantDirectory, 'current'> }

export type FindingProofPorts = FindingPorts &
  DraftPorts & {
    readonly tenants: Pick<TenantDirectory, 'current'>
    readonly readEvent: (text: string) => { readonly ok: true; readonly message: AwsEvent } | { readonly ok: false }
    /** Whether the queue says that the function events sent the order: AWS signs no finding, so nobody else may bring one. */
    readonly isEvents: (sender: string) => boolean
  }

/** Findings of AWS: read again, and still this order by the records and the document of now. */
export const createFindingProofs = (ports: FindingProofPorts): OrderProofs => ({
  async verify(order, sender) {
    if (order.proof.kind !== 'finding' || sender === null || !ports.isEvents(sender)) return null
    const config = await ports.tenants.current(order.tenant)
    const read = ports.readEvent(order.proof.event)
    if (config === null || !read.ok) return null
    for (const finding of read.message.findings)
      for (const report of await reportsOfFinding(ports, config, finding, read.message.text))
        if (report.id === order.id) return whoOrdered(ports, order, report)
    return null
  },
})

const whoOrdered = async (ports: DraftPorts, order: RevocationOrder, report: EventReport): Promise<string | null> => {
  const meant = await orderOfEvent(ports, report)
  return meant.ok && isSameOrder(meant.value, order) ? `events/${report.source}` : null
}

/** `events/<source>` stands behind the order. */
export const createEventProofs = (ports: EventProofPorts): OrderProofs => ({
  async verify(order) {
    const report = await reportOf(ports, order)
    return report === null ? null : whoOrdered(ports, order, report)
  },
})

const reportOf = async (
  ports: EventProofPorts,
  { tenant, proof, orderedAtSeconds }: RevocationOrder,
): Promise<EventReport | null> => {
  const config = await ports.tenants.current(tenant)
  if (config === null) return null
  const when = {
    nowSeconds: ports.clock.nowSeconds(),
    maxAgeSeconds: LIMITS.eventAgeSecondsMax + LIMITS.orderWaitSecondsMax,
  }
  if (proof.kind === 'github') return valueOrNull(await verifyGithubAlert(ports, config, proof, when))
  if (proof.kind === 'leak') {
    const source = config.events.find((candidate) => candidate.kind === 'leaks')
    // As of when it was ordered: a token that ran out meanwhile is no less revoked.
    return source?.kind === 'leaks' ? reportOfLeak(ports, config, source, proof.token, orderedAtSeconds) : null
  }
  if (proof.kind !== 'set') return null
  const claimed = sourceOfSet(config, proof.set)
  return claimed.ok ? valueOrNull(await verifySet(ports, config, claimed.value, when)) : null
}

const valueOrNull = <T>(result: Result<T>): T | null => (result.ok ? result.value : null)

/** Each kind of proof has one who can judge it. */
export const proofsByKind = (
  judges: Readonly<Partial<Record<RevocationOrder['proof']['kind'], OrderProofs>>>,
): OrderProofs => ({
  verify: async (order, sender) => (await judges[order.proof.kind]?.verify(order, sender)) ?? null,
})
