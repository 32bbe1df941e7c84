// A tenant's audit log for whoever has scope audit:read (design §4): its head, its events with their salts page by page, a search,
// and the receipt of one event. Whoever asks about one decision leaves a trace, as with `decision`.
import type { AuditRequest } from '../../domain/admin-request.ts'
import { type LogSearch, valueAt } from '../../domain/audit-search.ts'
import type { JsonObject } from '../../domain/claims.ts'
import { LIMITS } from '../../domain/limits.ts'
import { encodeBase64 } from '../../domain/tlog/signed-note.ts'
import type { LookUps } from '../../ports/change-feed.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Expired, LogLeaves, LogRetention, PublishedLog } from '../../ports/tenant-log.ts'
import { PROOF_REFUSALS, type ProvePorts, proveEvent, type Receipt } from './prove-event.ts'
import { type Found, searchLog } from './search-log.ts'

export type ReadLogPorts = ProvePorts & {
  readonly log: Pick<LogLeaves, 'leaves'> & Pick<PublishedLog, 'about'>
  readonly retention: Pick<LogRetention, 'expired'>
}

type Tracing = { readonly lookUps: LookUps; readonly clock: Clock }

/** A leaf as it goes over HTTP. `salt`: base64. */
export type ShownLeaf = { readonly index: number; readonly salt: string; readonly event: JsonObject }

export type AuditAnswer =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly refusal: string; readonly says: string }
  | { readonly kind: 'log'; readonly origin: string; readonly size: number; readonly expired: Expired | null }
  /** `next`: the index of the page behind this one; null: the log ends here. */
  | { readonly kind: 'log_events'; readonly leaves: readonly ShownLeaf[]; readonly next: number | null }
  | ({ readonly kind: 'log_found' } & Found)
  | { readonly kind: 'log_proof'; readonly receipt: Receipt }

/** `by`: who asks. Throws Unavailable. */
export const readLog = async (
  ports: ReadLogPorts & Tracing,
  { tenant, by }: { readonly tenant: string; readonly by: string },
  asked: AuditRequest,
): Promise<AuditAnswer> => {
  const { log, retention } = ports
  switch (asked.kind) {
    case 'log': {
      const head = await log.about(tenant)
      return head === null ? { kind: 'not_found' } : { kind: 'log', ...head, expired: await retention.expired(tenant) }
    }
    case 'log_events': {
      const leaves = await log.leaves(tenant, asked.from, LIMITS.auditPageMax)
      const next = leaves.length < LIMITS.auditPageMax ? null : leaves.at(-1)!.index + 1
      return { kind: 'log_events', leaves: leaves.map(shown), next }
    }
    case 'log_search': {
      const found = await searchLog(log, tenant, asked.search, asked)
      const decisionId = decisionOf(asked.search)
      if (decisionId !== null && found.events.length > 0) await tell(ports, { tenant, by, decisionId })
      return { kind: 'log_found', ...found }
    }
    case 'log_proof': {
      const proven = await proveEvent(ports, tenant, asked.event)
      if (!proven.ok && proven.refusal === 'no_event') return { kind: 'not_found' }
      if (!proven.ok) return { kind: 'refused', refusal: proven.refusal, says: PROOF_REFUSALS[proven.refusal] }
      const { receipt, isCounted } = proven
      const named = valueAt(receipt.event, 'unmapped', 'mintmark', 'decision_id')
      const decisionId = isCounted ? asked.event : named
      if (typeof decisionId === 'string') await tell(ports, { tenant, by, decisionId })
      return { kind: 'log_proof', receipt }
    }
  }
}

const shown = ({ index, salt, canonical }: { index: number; salt: Uint8Array; canonical: string }): ShownLeaf => ({
  index,
  salt: encodeBase64(salt),
  event: JSON.parse(canonical) as JsonObject,
})

const decisionOf = ({ wanted }: LogSearch): string | null => wanted.find(([key]) => key === 'decision')?.[1] ?? null

/** Before it is shown: nobody reads a decision without leaving a trace (design P8). */
const tell = (
  { lookUps, clock }: Tracing,
  lookUp: { readonly tenant: string; readonly by: string; readonly decisionId: string },
): Promise<void> => lookUps.tell({ ...lookUp, atSeconds: clock.nowSeconds() })
