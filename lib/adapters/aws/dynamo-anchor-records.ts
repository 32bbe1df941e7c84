// Which checkpoint each anchor has kept last, beside the log's own checkpoints.
import type { AnchorRecord, AnchorRecords } from '../../ports/anchors.ts'
import { begin, type Item, keyOf, newMark, numberOf, queryAll, type Table, textOf, writeIf } from './dynamo-request.ts'
import { LOG_ANCHORS, logAnchorKey, logCheckpointPartition } from './table-keys.ts'

export const createAnchorRecords = (table: Table): AnchorRecords => ({
  async of(tenant) {
    const rows = { pk: logCheckpointPartition(tenant), prefix: LOG_ANCHORS }
    return (await queryAll(await begin(table, tenant), rows)).map(recordOf)
  },
  async put(tenant, { anchor, size, note, atSeconds }) {
    const key = logAnchorKey(tenant, anchor)
    const mark = newMark()
    const put = {
      Item: {
        ...keyOf(key),
        size: { N: String(size) },
        note: { S: note },
        at: { N: String(atSeconds) },
        w: { S: mark },
      },
      ConditionExpression: 'attribute_not_exists(pk) OR #size < :size',
      ExpressionAttributeNames: { '#size': 'size' },
      ExpressionAttributeValues: { ':size': { N: String(size) } },
    }
    await writeIf(await begin(table, tenant), { put }, { key, mark })
  },
})

const recordOf = (row: Item): AnchorRecord => ({
  anchor: textOf(row, 'sk').slice(LOG_ANCHORS.length),
  size: numberOf(row, 'size') ?? 0,
  note: textOf(row, 'note'),
  atSeconds: numberOf(row, 'at') ?? 0,
})
