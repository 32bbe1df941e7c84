// Dead letters of sinks and errands of operators in DynamoDB: admin puts an errand, the deliverer does it and forgets it a day later.
import type { DeadLetterReason, SinkErrand } from '../../domain/sink.ts'
import type { SinkErrands } from '../../ports/sinks.ts'
import {
  begin,
  getItem,
  type Item,
  keyOf,
  newMark,
  numberOf,
  queryAll,
  queryPage,
  removeItem,
  type Table,
  textOf,
  write,
  writeIf,
} from './dynamo-request.ts'
import {
  deadLetterKey,
  deadLetterPartition,
  seqOfDeadLetter,
  sinkErrandKey,
  sinkErrandPartition,
} from './table-keys.ts'

const KEEP_SECONDS = 24 * 3600

export const createSinkErrands = (table: Table): SinkErrands => ({
  async ask({ id, tenant, sink, kind }, atSeconds) {
    const Item = {
      ...keyOf(sinkErrandKey(tenant, id)),
      sink: { S: sink },
      kind: { S: kind },
      askedAt: { N: String(atSeconds) },
    }
    await write(await begin(table, tenant), { put: { Item } })
  },

  async find(tenant, id) {
    const row = await getItem(await begin(table, tenant), sinkErrandKey(tenant, id))
    return row === null ? null : errandOf(row, tenant)
  },

  async open({ tenant, sink }, sinceSeconds) {
    const call = await begin(table, tenant)
    const rows = await queryAll(call, { pk: sinkErrandPartition(tenant) })
    // Who asks may not remove.
    for (const row of rows.filter((row) => askedAt(row) < sinceSeconds - KEEP_SECONDS))
      await removeItem(call, sinkErrandKey(tenant, textOf(row, 'sk')))
    return rows
      .filter((row) => askedAt(row) >= sinceSeconds)
      .sort((a, b) => askedAt(a) - askedAt(b))
      .map((row) => errandOf(row, tenant))
      .filter((errand) => errand.sink === sink && errand.outcome === null)
  },

  async done({ id, tenant, outcome }) {
    const key = sinkErrandKey(tenant, id)
    const mark = newMark()
    const update = {
      Key: keyOf(key),
      UpdateExpression: 'SET outcome = :outcome, w = :mark',
      // One that was forgotten meanwhile is not made anew.
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':outcome': { S: JSON.stringify(outcome) }, ':mark': { S: mark } },
    }
    await writeIf(await begin(table, tenant), { update }, { key, mark })
  },

  async deadLetters({ tenant, sink }, after, limit) {
    const page = { pk: deadLetterPartition(tenant, sink), beyond: deadLetterKey(tenant, sink, after).sk, limit }
    return (await queryPage(await begin(table, tenant), page)).map((row) => ({
      seq: seqOfDeadLetter(textOf(row, 'sk')),
      leaf: numberOf(row, 'leaf'),
      reason: textOf(row, 'reason') as DeadLetterReason,
      canonical: textOf(row, 'event'),
    }))
  },

  async drop({ tenant, sink }, seq) {
    await removeItem(await begin(table, tenant), deadLetterKey(tenant, sink, seq))
  },
})

const askedAt = (row: Item): number => numberOf(row, 'askedAt') ?? 0

const errandOf = (row: Item, tenant: string): SinkErrand => {
  const outcome = row['outcome']?.S
  return {
    id: textOf(row, 'sk'),
    tenant,
    sink: textOf(row, 'sink'),
    kind: textOf(row, 'kind') as SinkErrand['kind'],
    outcome: outcome === undefined ? null : (JSON.parse(outcome) as SinkErrand['outcome']),
  }
}
