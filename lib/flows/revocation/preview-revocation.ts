// What an order would hit, from records, before it is carried out: credentials that are alive now. Newest first, only as far back as
// a credential can live, and no more records than a person waits for: an order is one row however many it hits.
import type { GrantRecord } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import { factsOfRecord, type Selector, selectorsOf } from '../../domain/revocation.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RecentRecords } from '../../ports/decisions.ts'

export type PreviewPorts = { readonly records: RecentRecords; readonly clock: Clock }

export type Preview = {
  /** Live credentials hit, and how many identities hold them. */
  readonly credentials: number
  readonly identities: number
  /** Records of the newest of them. */
  readonly newest: readonly GrantRecord[]
  /** Null: every live credential was looked at. Otherwise there may be more, older than the newest so many of the tenant. */
  readonly onlyNewest: number | null
}

const SHOWN_MAX = 20

/** Throws Unavailable. */
export const previewRevocation = async (
  { records, clock }: PreviewPorts,
  { tenant, selectors }: { readonly tenant: string; readonly selectors: readonly Selector[] },
): Promise<Preview> => {
  const nowSeconds = clock.nowSeconds()
  const wanted = new Set(selectors.map(keyOf))
  const identities = new Set<string>()
  const newest: GrantRecord[] = []
  let credentials = 0
  let looked = 0
  let onlyNewest: number | null = null
  const oldest = nowSeconds - LIMITS.ttlSecondsMax - LIMITS.clockStepSecondsMax
  for await (const { record, notIssued } of records.since(tenant, oldest)) {
    if (looked === LIMITS.previewRecordsMax) {
      onlyNewest = looked
      break
    }
    looked += 1
    if (notIssued || record.credential.exp <= nowSeconds) continue
    if (!selectorsOf(factsOfRecord(record)).some((selector) => wanted.has(keyOf(selector)))) continue
    credentials += 1
    identities.add(record.credential.sub)
    if (newest.length < SHOWN_MAX) newest.push(record)
  }
  return { credentials, identities: identities.size, newest, onlyNewest }
}

const keyOf = ({ kind, issuer, value }: Selector): string => `${kind}\0${issuer}\0${value}`
