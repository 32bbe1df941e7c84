// Every leaf of a grant is what the record it was made from gives (design P7), as long as records are kept. For verifyLog.
import type { AuditEntry, GrantEntry } from '../../domain/audit-entry.ts'
import { canonicalJson } from '../../domain/canonical-json.ts'
import type { JsonObject, JsonValue } from '../../domain/claims.ts'
import { LIMITS } from '../../domain/limits.ts'
import { inPresentForm } from '../../domain/ocsf/earlier-forms.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import type { EventDraft } from '../../domain/ocsf/event-draft.ts'
import { decisionIdOf, GRANT_TYPES } from '../../domain/ocsf/issuance.ts'
import { draftsOf, eventsOf } from '../../domain/ocsf/map-entry.ts'
import type { FeedSpan } from '../../ports/change-feed.ts'
import type { GrantRecords } from '../../ports/decisions.ts'
import type { StoredLeaf } from '../../ports/tenant-log.ts'
import type { LeavesQuestion } from './check-leaves.ts'

export const agreesWithRecord =
  (
    records: GrantRecords,
    tenant: string,
    nowSeconds: number,
    /** Told of every record that was found to have its leaf. */
    logged: (span: FeedSpan) => void = () => undefined,
  ): NonNullable<LeavesQuestion['againstRecords']> =>
  async (leaves) => {
    const ids = new Set(leaves.map((leaf) => decisionIdOf(uidOf(leaf))))
    const known = await records.of(tenant, [...ids])
    // The events of a record lie side by side: its drafts are made once for them.
    let last: { readonly entry: GrantEntry; readonly drafts: readonly EventDraft[] } | null = null
    return {
      draftOf({ uid = '' }, issuerUrl) {
        const entry = known.get(decisionIdOf(uid))
        if (entry === undefined) return null
        if (last?.entry !== entry) last = { entry, drafts: draftsOf(entry, { issuerUrl }, () => null) }
        return last.drafts.find((draft) => draft.uid === uid) ?? null
      },
      // Its first event has the id of the decision, and is the one that the log owes it.
      found({ uid = '' }) {
        const span = known.get(uid)?.span
        if (span !== undefined) logged(span)
      },
      async check({ canonical, head }) {
        if (!isOfGrant(head.type_uid, canonical)) return null
        const id = decisionIdOf(head.metadata.uid)
        const entry = known.get(id) ?? (ids.has(id) ? undefined : (await records.of(tenant, [id])).get(id))
        if (entry !== undefined) return isMadeFrom(entry, canonical) ? null : 'record_differs'
        // A record goes 7 days after its evidence expired at the earliest.
        return head.time / 1000 > nowSeconds - LIMITS.recordKeepSeconds ? 'record_missing' : null
      },
    }
  }

/** To read the records of many leaves at once; '' where there is none, and what is wrong with it is found by who checks the event. */
const uidOf = ({ uid, canonical }: StoredLeaf): string => {
  if (uid !== undefined) return uid
  try {
    return String((JSON.parse(canonical) as OcsfEvent).metadata.uid)
  } catch {
    return ''
  }
}

const GRANTED = '"status_code":"granted"'

/** Not where it says that nothing was granted after all: its record says the opposite. */
const isOfGrant = (typeUid: number, canonical: string): boolean =>
  typeUid === GRANT_TYPES.scope || (typeUid === GRANT_TYPES.credential && canonical.includes(GRANTED))

/** The same in meaning, member by member, as what this version makes of the record. */
export const isMadeFrom = (entry: AuditEntry, canonical: string): boolean => {
  const event = JSON.parse(canonical) as OcsfEvent
  const issuerUrl = authorityOf(event)
  const made = eventsOf(entry, { issuerUrl }, () => null).find(({ metadata }) => metadata.uid === event.metadata.uid)
  return made !== undefined && isWithin(withoutIntegrity(inPresentForm(event)), made)
}

const authorityOf = (event: OcsfEvent): string => {
  const [attestation] = event['attestation_list'] as readonly { readonly authority_uid: string }[]
  return attestation!.authority_uid
}

const withoutIntegrity = (event: OcsfEvent): JsonObject => {
  const { attestation_list: _, metadata, ...rest } = event
  // The version that wrote the event may be an older one.
  const { sequence: __, profiles: ___, product: ____, ...kept } = metadata
  return { ...rest, metadata: kept }
}

/** A later version may say more of a record, never something else. */
const isWithin = (before: JsonValue, after: JsonValue | undefined): boolean => {
  if (typeof before !== 'object' || before === null || Array.isArray(before) || after === undefined)
    return after !== undefined && canonicalJson(before) === canonicalJson(after)
  if (typeof after !== 'object' || after === null || Array.isArray(after)) return false
  return Object.entries(before).every(([name, member]) => isWithin(member, (after as JsonObject)[name]))
}
