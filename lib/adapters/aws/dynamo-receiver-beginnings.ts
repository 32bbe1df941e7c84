// Which receivers a tenant's current document names, and with which change each of them begins. It is written in the write that
// makes the document current, so that a receiver is owed every change that is numbered after it, and begins anew when it was gone
// in between. So nothing has to be cleared when a document no longer names one.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { ReceiverState } from '../../domain/receiver-state.ts'
import type { ConfigVersion } from '../../ports/tenants.ts'
import {
  begin,
  type Call,
  getItem,
  type Item,
  keyOf,
  numberOf,
  queryAll,
  type Table,
  textOf,
  write,
} from './dynamo-request.ts'
import { headOf } from './dynamo-revocation-changes.ts'
import { currentConfigKey, TENANT_LIST_SHARDS, tenantListKey, tenantListPartition } from './table-keys.ts'

export type NamedReceiver = Pick<ReceiverState, 'name' | 'type'> & {
  /** It is owed the changes behind this number. */
  readonly since: number
}

/** As the current document names them; none of a tenant that is removed. */
export const namedReceivers = async (call: Call, tenant: string): Promise<readonly NamedReceiver[]> => {
  const current = await getItem(call, currentConfigKey(tenant))
  return current === null || current['tombstonedAt'] !== undefined ? [] : namedIn(current)
}

const namedIn = (current: Item | null): readonly NamedReceiver[] =>
  Object.entries(current?.['receivers']?.M ?? {}).map(([name, { M: row = {} }]) => ({
    name,
    type: textOf(row, 'type') === 'poll' ? 'poll' : 'webhook',
    since: numberOf(row, 'since') as number,
  }))

/**
 * For `CUR`, of a version that is to follow it. INVARIANT: the head is read before that write: what is numbered between the two is
 * owed although it was there first, and never the other way round.
 */
export const receiversFrom = async (call: Call, version: ConfigVersion): Promise<AttributeValue> => {
  const named = namesIn(version)
  if (named.length === 0) return { M: {} }
  const before = namedIn(await getItem(call, currentConfigKey(version.tenant)))
  const head = await headOf(call, version.tenant)
  return {
    M: Object.fromEntries(
      named.map(([name, type]) => {
        const since = before.find((receiver) => receiver.name === name)?.since ?? head
        return [name, { M: { type: { S: type }, since: { N: String(since) } } }]
      }),
    ),
  }
}

/** Leaves in the list of tenants that this one has receivers. It stays, as the tenant does. */
export const listReceiving = async (call: Call, version: ConfigVersion): Promise<void> => {
  if (namesIn(version).length === 0) return
  const update = {
    Key: keyOf(tenantListKey(version.tenant)),
    UpdateExpression: 'SET receiving = :true',
    ExpressionAttributeValues: { ':true': { BOOL: true } },
  }
  await write(call, { update })
}

/** Tenants whose documents name receivers, or once did. */
export const receivingTenants = async (table: Table): Promise<readonly string[]> => {
  const call = await begin(table, null)
  const shards = Array.from({ length: TENANT_LIST_SHARDS }, (_, shard) => tenantListPartition(shard))
  const rows = (await Promise.all(shards.map((pk) => queryAll(call, { pk })))).flat()
  return rows.filter(({ receiving }) => receiving?.BOOL === true).map((row) => textOf(row, 'sk'))
}

/** A document that is no JSON names none: it was checked before it came here. */
const namesIn = ({ document }: ConfigVersion): (readonly [name: string, type: string])[] => {
  try {
    const { receivers = {} } = JSON.parse(document) as { receivers?: Record<string, { type?: string }> }
    return Object.entries(receivers).map(([name, { type }]) => [name, type === 'poll' ? 'poll' : 'webhook'])
  } catch {
    return []
  }
}
