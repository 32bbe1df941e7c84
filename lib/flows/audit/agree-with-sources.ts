// Every leaf that is not of a grant is what the row it was made from gives, as long as that stays: orders, lifts, documents, keys and
// denials where they are kept for good. For verifyLog.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { JsonObject } from '../../domain/claims.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import { headOfEvent } from '../../domain/ocsf/event-head.ts'
import type { Selector } from '../../domain/revocation.ts'
import type { KeyState } from '../../domain/signing-key.ts'
import type { EventSource, EventSources } from '../../ports/control-records.ts'
import { isMadeFrom } from './agree-with-records.ts'
import type { LeavesQuestion } from './check-leaves.ts'

type Against = NonNullable<LeavesQuestion['againstRecords']>

/** What the one or else the other finds. */
export const bothAgree =
  (one: Against, other: Against): Against =>
  async (leaves) => {
    const [first, second] = await Promise.all([one(leaves), other(leaves)])
    return {
      draftOf: (leaf, issuerUrl) => first.draftOf(leaf, issuerUrl) ?? second.draftOf(leaf, issuerUrl),
      found: (leaf) => first.found?.(leaf),
      check: async (event) => (await first.check(event)) ?? second.check(event),
    }
  }

export const agreesWithSource =
  (sources: EventSources, tenant: string, nowSeconds: number): Against =>
  async (leaves) => {
    const named = leaves.flatMap(({ canonical }) => sourceIn(canonical, nowSeconds) ?? [])
    const found: ReadonlyMap<string, AuditEntry | 'later'> =
      named.length === 0 ? new Map() : await sources.of(tenant, named)
    const asked = new Set(named.map(({ uid }) => uid))
    return {
      draftOf: () => null,
      async check({ canonical, head }) {
        const { uid } = head.metadata
        if (!asked.has(uid)) return null
        const source = found.get(uid)
        if (source === undefined) return 'record_missing'
        return source === 'later' || isMadeFrom(source, canonical) ? null : 'record_differs'
      },
    }
  }

const ENTITY_MANAGEMENT = 3004
const DENIED = [600301, 200401]

/** Null: of no row that stays, or of none that is told here. What is no event is found by who checks it. */
const sourceIn = (canonical: string, nowSeconds: number): EventSource | null => {
  try {
    const { class_uid: classUid, type_uid: typeUid } = headOfEvent(canonical)
    if (classUid !== ENTITY_MANAGEMENT && !DENIED.includes(typeUid)) return null
    const event = JSON.parse(canonical) as OcsfEvent
    const { uid } = event.metadata
    const { mintmark: told } = event['unmapped'] as { readonly mintmark: JsonObject }
    return classUid === ENTITY_MANAGEMENT ? sourceOfChange(event, uid, told, nowSeconds) : sourceOfDenial(uid, told)
  } catch {
    return null
  }
}

const sourceOfDenial = (uid: string, told: JsonObject): EventSource | null => {
  if (told['rolled_up'] !== true) return { kind: 'denial', uid, decisionId: String(told['decision_id']) }
  // Only one that lists decisions has a row.
  return Number(told['count']) > Number(told['unlisted']) ? { kind: 'count', uid } : null
}

const sourceOfChange = (event: OcsfEvent, uid: string, told: JsonObject, nowSeconds: number): EventSource | null => {
  const code = String(event['status_code'])
  if (code.startsWith(KEY)) {
    const state = code.slice(KEY.length)
    return told['state'] === state ? { kind: 'key', uid, kid: String(told['kid']), state: state as KeyState } : null
  }
  const atSeconds = event.time / 1000
  switch (code) {
    case 'revoked':
      return { kind: 'order', uid }
    case 'unblocked':
      return isWhole(told) ? { kind: 'lift', uid, selector: selectorIn(told) } : null
    case 'config_applied':
      return { kind: 'document', uid, version: Number(told['version']) }
    case 'tenant_removed':
      return { kind: 'removal', uid }
    case 'decision_read':
      // Its row goes then.
      return atSeconds > nowSeconds - LIMITS.recordKeepSeconds ? { kind: 'look_up', uid, atSeconds } : null
    default:
      return null
  }
}

const KEY = 'key_'

/** What looks like a token is not in an event, and its row is not found without it. */
const isWhole = ({ value }: JsonObject): boolean => typeof value === 'string' && !value.includes('[token]')

const selectorIn = ({ kind, issuer, value }: JsonObject): Selector =>
  ({ kind, issuer: issuer ?? '', value }) as unknown as Selector
