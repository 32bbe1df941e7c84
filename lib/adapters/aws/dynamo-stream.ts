// What a record of the core table's stream means to audit. Rows of other kinds are of no concern; a change or removal of a
// record is somebody's doing, unless DynamoDB removed it because its time was up.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AuditEntry, FeedItem } from '../../domain/audit-entry.ts'
import type { StreamAttributes, StreamRecord } from '../../wire/lambda-events.ts'
import { readAppliedOrderItem } from './dynamo-applied-orders.ts'
import { readGrantItem, readOutcomeItem } from './dynamo-grant-rows.ts'
import type { Item } from './dynamo-request.ts'
import { auditedRowAt, type RowKey } from './table-keys.ts'

const OTHER: FeedItem = { kind: 'other' }

export const feedItemOf = (record: StreamRecord): FeedItem => {
  const { eventName = '', eventID: eventId = '', dynamodb = {} } = record
  const key = keyIn(dynamodb.Keys ?? {})
  const at = auditedRowAt(key)
  if (at === null || isExpiry(record)) return OTHER
  if (eventName !== 'INSERT') return { kind: 'altered', tenant: at.tenant, change: eventName, eventId }
  try {
    return { kind: 'entry', entry: entryOf(at.row, itemOf(dynamodb.NewImage ?? {})) }
  } catch {
    // The row stays in its table for days: the key is enough to find it, and says nothing.
    const body = JSON.stringify({ ...key, sequenceNumber: dynamodb.SequenceNumber ?? '' })
    return { kind: 'unreadable', reason: 'row_unreadable', body, eventId }
  }
}

const entryOf = (row: 'record' | 'outcome' | 'order', item: Item): AuditEntry => {
  switch (row) {
    case 'record':
      return { kind: 'grant', record: readGrantItem(item) }
    case 'outcome':
      return { kind: 'not_issued', outcome: readOutcomeItem(item) }
    case 'order':
      return { kind: 'revocation', applied: readAppliedOrderItem(item) }
  }
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
