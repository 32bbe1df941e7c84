// Revocation orders that were carried out, in DynamoDB. The row is also their entry in the change feed.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { AppliedOrder } from '../../domain/revocation-order.ts'
import type { AppliedOrders } from '../../ports/revocation-orders.ts'
import { begin, getItem, type Item, keyOf, newMark, type Table, textOf, writeIf } from './dynamo-request.ts'
import { appliedOrderKey } from './table-keys.ts'

const FORMAT = '1'

export const createAppliedOrders = (table: Table): AppliedOrders => ({
  async find(tenant, orderId) {
    const item = await getItem(await begin(table, tenant), appliedOrderKey(tenant, orderId))
    return item === null ? null : readAppliedOrderItem(item)
  },
  async put(applied) {
    const { tenant, id } = applied.order
    const key = appliedOrderKey(tenant, id)
    const mark = newMark()
    const attributes: Record<string, AttributeValue> = {
      v: { N: FORMAT },
      w: { S: mark },
      body: { S: JSON.stringify(applied) },
    }
    // Whether this one or an earlier one was the first does not matter: it stands.
    const put = { Item: { ...keyOf(key), ...attributes }, ConditionExpression: 'attribute_not_exists(pk)' }
    await writeIf(await begin(table, tenant), { put }, { key, mark })
  },
})

export const readAppliedOrderItem = (item: Item): AppliedOrder => {
  if (item['v']?.N !== FORMAT) throw new Error('a stored row has a format this program does not know')
  const applied = JSON.parse(textOf(item, 'body')) as AppliedOrder
  if (appliedOrderKey(applied.order.tenant, applied.order.id).pk !== textOf(item, 'pk'))
    throw new Error('a stored row names another tenant than its key')
  return applied
}
