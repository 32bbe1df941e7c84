// What a record of the core table's stream means to audit. Rows of other kinds are of no concern; a change or removal of a
// record is somebody's doing, unless DynamoDB removed it because its time was up.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AuditEntry, FeedItem } from '../../domain/audit-entry.ts'
import type { ControlChange } from '../../domain/control-change.ts'
import type { KeyState } from '../../domain/signing-key.ts'
import type { StreamAttributes, StreamRecord } from '../../wire/lambda-events.ts'
import { readAppliedOrderItem } from './dynamo-applied-orders.ts'
import { documentChange, entryOf, erasureId, removalOf } from './dynamo-control-records.ts'
import { readGrantItem, readOutcomeItem } from './dynamo-grant-rows.ts'
import { lookUpOf } from './dynamo-look-ups.ts'
import { toldOf } from './dynamo-receivers.ts'
import { type Item, numberOf, textOf } from './dynamo-request.ts'
import { liftOf } from './dynamo-revocation-store.ts'
import { keyMoveOf } from './dynamo-signing-key-store.ts'
import { versionOf } from './dynamo-tenant-config-store.ts'
import { type AuditedRow, auditedRowAt, type RowKey } from './table-keys.ts'

const OTHER: FeedItem = { kind: 'other' }

export const feedItemOf = (record: StreamRecord): FeedItem => {
  const { eventID: eventId = '', eventName = '', dynamodb = {} } = record
  const key = keyIn(dynamodb.Keys ?? {})
  const at = auditedRowAt(key)
  if (at === null || isExpiry(record)) return OTHER
  try {
    const change: RowChange = {
      ...at,
      eventName,
      key,
      atSeconds: dynamodb.ApproximateCreationDateTime ?? 0,
      before: itemOf(dynamodb.OldImage ?? {}),
      after: itemOf(dynamodb.NewImage ?? {}),
    }
    const read = READERS[at.row](change)
    if (read === 'altered') return { kind: 'altered', tenant: at.tenant, change: eventName, eventId }
    if (Array.isArray(read)) return { kind: 'entries', entries: read }
    return read === null ? OTHER : { kind: 'entry', entry: read }
  } catch {
    // The row stays in its table for days: the key is enough to find it, and says nothing.
    const body = JSON.stringify({ ...key, sequenceNumber: dynamodb.SequenceNumber ?? '' })
    return { kind: 'unreadable', reason: 'row_unreadable', body, eventId }
  }
}

type RowChange = {
  readonly tenant: string
  readonly eventName: string
  readonly key: RowKey
  readonly atSeconds: number
  readonly before: Item
  readonly after: Item
}
/** null: of no concern. */
type Read = (change: RowChange) => AuditEntry | AuditEntry[] | 'altered' | null

/** A row that is written once. */
const written =
  (read: (item: Item) => AuditEntry): Read =>
  ({ eventName, after }) =>
    eventName === 'INSERT' ? read(after) : 'altered'

const orNull = (change: ControlChange | null): AuditEntry | null => (change === null ? null : entryOf(change))

/** What was put is in the log by its order. A block that is gone was lifted, by a name and for a reason, or taken away. */
const revocation: Read = ({ tenant, eventName, before, after }) => {
  if (eventName === 'REMOVE' || (before['cut'] !== undefined && after['cut'] === undefined)) return 'altered'
  if (before['block'] === undefined || after['block'] !== undefined) return null
  const lift = liftOf(after)
  if (lift === null || lift.revocation !== before['block'].M?.['id']?.S) return 'altered'
  return entryOf({ what: 'unblock', id: lift.revocation, tenant, ...lift })
}

/** Versions are rows of their own; what only this row says is that there will be no more. */
const tenant: Read = ({ tenant: name, eventName, before, after }) => {
  const [was, is] = [numberOf(before, 'tombstonedAt'), numberOf(after, 'tombstonedAt')]
  if (eventName === 'REMOVE' || (was !== null && is !== was)) return 'altered'
  return was === null ? orNull(removalOf(after, name)) : null
}

const erasure: Read = ({ tenant: name, eventName, key, atSeconds }) =>
  eventName === 'REMOVE'
    ? entryOf({ what: 'erasure', id: erasureId(key), tenant: name, atSeconds, erased: key.sk })
    : null

/** That a key was proven, or who wrote it last, is no move. */
const ownKey: Read = (change) => {
  const { tenant: name, eventName, atSeconds, before, after } = change
  if (eventName === 'REMOVE') return erasure(change)
  if (before['state']?.S === after['state']?.S) return null
  return orNull(keyMoveOf(after, name, textOf(after, 'state') as KeyState, atSeconds))
}

const config: Read = ({ tenant: name, eventName, after }) => {
  if (eventName !== 'INSERT') return 'altered'
  return entryOf(documentChange(versionOf(after, name)))
}

const receiver: Read = ({ tenant: name, eventName, key, before, after }) =>
  eventName === 'REMOVE' ? null : toldOf(name, key.sk, before, after).map(entryOf)

const lookUp: Read = ({ tenant: name, eventName, after }) =>
  eventName === 'INSERT' ? entryOf(lookUpOf(after, name)) : 'altered'

const READERS: Readonly<Record<AuditedRow, Read>> = {
  record: written((item) => ({ kind: 'grant', record: readGrantItem(item) })),
  outcome: written((item) => ({ kind: 'not_issued', outcome: readOutcomeItem(item) })),
  order: written((item) => ({ kind: 'revocation', applied: readAppliedOrderItem(item) })),
  revocation,
  tenant,
  receiver,
  config,
  own_key: ownKey,
  feed_secret: erasure,
  look_up: lookUp,
}

const keyIn = (keys: StreamAttributes): RowKey => ({ pk: String(keys['pk']?.['S']), sk: String(keys['sk']?.['S']) })

/** The event has DynamoDB's JSON, in which bytes are base64; otherwise it is what the client hands out. */
const itemOf = (image: StreamAttributes): Item =>
  Object.fromEntries(
    Object.entries(image).map(([name, value]) => {
      const bytes = value['B']
      return [
        name,
        (typeof bytes === 'string' ? { B: Buffer.from(bytes, 'base64') } : value) as unknown as AttributeValue,
      ]
    }),
  )

/** TTL: the service itself, which signs with its own name (replicas of a global table do not say so, and then it is an alarm). */
const isExpiry = ({ eventName, userIdentity }: StreamRecord): boolean =>
  eventName === 'REMOVE' && userIdentity?.type === 'Service' && userIdentity.principalId === 'dynamodb.amazonaws.com'
