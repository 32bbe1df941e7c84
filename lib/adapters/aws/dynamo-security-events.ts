// Security events that were received, in DynamoDB, one row each. The first of an id stands, but one that could not be carried
// out makes room for the same event later.

import { LIMITS } from '../../domain/limits.ts'
import type { RecordedEvent } from '../../domain/recorded-event.ts'
import type { SecurityEvents } from '../../ports/security-events.ts'
import { begin, getItem, keyOf, newMark, type Table, textOf, writeIf } from './dynamo-request.ts'
import { securityEventKey } from './table-keys.ts'

const FORMAT = '1'

export const createSecurityEvents = (table: Table): Pick<SecurityEvents, 'find' | 'put'> => ({
  async find(tenant, id) {
    const row = await getItem(await begin(table, tenant), securityEventKey(tenant, id))
    if (row === null) return null
    if (row['v']?.N !== FORMAT) throw new Error('a stored row has a format this program does not know')
    const event = JSON.parse(textOf(row, 'body')) as RecordedEvent
    if (event.tenant !== tenant) throw new Error('a stored row names another tenant than its key')
    return event
  },
  async put(event) {
    const { tenant, id, atSeconds, outcome } = event
    const key = securityEventKey(tenant, id)
    const mark = newMark()
    const put = {
      Item: {
        ...keyOf(key),
        v: { N: FORMAT },
        w: { S: mark },
        outcome: { S: outcome },
        body: { S: JSON.stringify(event) },
        // Frees storage, no more: what is older than events may be is refused by its own time.
        ttl: { N: String(atSeconds + LIMITS.eventKeepSeconds) },
      },
      ConditionExpression: 'attribute_not_exists(pk) OR outcome = :again',
      ExpressionAttributeValues: { ':again': { S: 'unselectable' } },
    }
    // Whether this one or an earlier one was the first does not matter: it stands.
    await writeIf(await begin(table, tenant), { put }, { key, mark })
  },
})
