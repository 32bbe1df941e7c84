// Grant records in DynamoDB: replay guard, issuance record and audit entry are one conditional PutItem, so that none is ever
// there without the others and tables that are strong over Regions (which refuse transactions) can hold them. Only a
// redemption with a DPoP proof takes a transaction of two puts. Beside it, at the same time, is put where the record lies, by its
// decision id: INVARIANT: a put resolves well only when both are durable, so whoever holds a credential has a record that is found.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import type { GrantPut, GrantStore, PutOutcome } from '../../ports/grant-store.ts'
import { grantItem, outcomeItem, placeItem, proofItem, readGrantItem } from './dynamo-grant-rows.ts'
import {
  begin,
  type Call,
  getItem,
  getItems,
  type Item,
  isMarked,
  nameOf,
  newMark,
  type Table,
  unavailable,
  write,
  writeIf,
} from './dynamo-request.ts'
import { grantKey, outcomeKey } from './table-keys.ts'

const FAILED = 'ConditionalCheckFailed'
const CONFLICT = 'TransactionConflict'
const CREATED: PutOutcome = { outcome: 'created' }
const PROOF_REPLAYED: PutOutcome = { outcome: 'proof_replayed' }
// No `OR exp < :now`: a late replay is refused by the evidence's own exp, and the record of who was first must stay.
const IF_ABSENT = { ConditionExpression: 'attribute_not_exists(pk)' } as const

export const createGrantStore = (table: Table): GrantStore => ({
  async put(put) {
    const call = await begin(table, put.record.tenant)
    // Both to their end: a write that goes on behind a refusal would surprise whoever asks next.
    const [record, place] = await Promise.allSettled([putRecord(call, put), putPlace(call, put)])
    if (record.status === 'rejected') throw record.reason
    if (place.status === 'rejected') throw place.reason
    return record.value
  },

  async find(tenant, guard) {
    const call = await begin(table, tenant)
    const [recordKey, besideKey] = [grantKey(tenant, guard), outcomeKey(tenant, guard)]
    const rows = await getItems(call, [recordKey, besideKey])
    const row = rows.get(nameOf(recordKey))
    return row === undefined ? null : { record: readGrantItem(row), notIssued: rows.has(nameOf(besideKey)) }
  },

  async putNotIssued(put) {
    const call = await begin(table, put.outcome.tenant)
    // The first one stands, so whether this one was it does not matter.
    const mark = newMark()
    const item = { ...outcomeItem(put), w: { S: mark } }
    await writeIf(call, { put: { Item: item, ...IF_ABSENT } }, { key: outcomeKey(put.outcome.tenant, put.guard), mark })
  },
})

const putRecord = async (call: Call, put: GrantPut): Promise<PutOutcome> => {
  const mark = newMark()
  const item = grantItem(put, mark)
  if (put.proofGuard !== null)
    return putWithProof(call, put, { item, mark, proof: proofItem(put.record.tenant, put.proofGuard) })
  const key = grantKey(put.record.tenant, put.guard)
  const written = await writeIf(call, { put: { Item: item, ...IF_ABSENT } }, { key, mark })
  return written.applied ? CREATED : existing(call, put, written.existing)
}

/** An id that names another record already is refused: attest chooses ids, and must not hide one record behind another. */
const putPlace = async (call: Call, { record, guard, keepUntilSeconds }: GrantPut): Promise<void> => {
  const Item = placeItem({ record, guard, keepUntilSeconds })
  const ConditionExpression = 'attribute_not_exists(pk) OR guard IN (:guard, :vain)'
  const putOver = (vain: string) =>
    write(call, {
      put: { Item, ConditionExpression, ExpressionAttributeValues: { ':guard': { S: guard }, ':vain': { S: vain } } },
    })
  try {
    await putOver(guard)
  } catch (error) {
    // A redemption that came second said a place in vain, where the first one's record lies, and now has a record of its own.
    const said = guardSaid(error)
    const row = said === null ? null : await getItem(call, grantKey(record.tenant, said))
    if (said === null || row === null || readGrantItem(row).decisionId === record.decisionId) throw error
    await putOver(said)
  }
}

/** Of the place that was there instead; null: it failed for another reason. */
const guardSaid = (error: unknown): string | null => {
  const cause = error instanceof Error ? error.cause : null
  return cause instanceof ConditionalCheckFailedException ? (cause.Item?.['guard']?.S ?? null) : null
}

const existing = async (call: Call, put: GrantPut, row: Item | null): Promise<PutOutcome> => {
  if (row === null) throw new Error('a guard was neither put nor found')
  const first = readGrantItem(row)
  const [outcome] = await Promise.all([
    getItem(call, outcomeKey(first.tenant, put.guard)),
    // Who was first may have died between its two rows, and its record may be about to be signed again.
    putPlace(call, { ...put, record: first }),
  ])
  return { outcome: 'exists', existing: first, notIssued: outcome !== null }
}

type Rows = { readonly item: Item; readonly proof: Item; readonly mark: string }

/** Both puts or none: a proof is spent only together with a redemption. */
const putWithProof = async (call: Call, put: GrantPut, { item, proof, mark }: Rows): Promise<PutOutcome> => {
  const command = new TransactWriteItemsCommand({
    ClientRequestToken: mark,
    TransactItems: [item, proof].map((Item) => ({
      Put: { TableName: call.table.name, Item, ...IF_ABSENT, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
    })),
  })
  for (let attempt = 0; ; attempt += 1) {
    try {
      await call.client.send(command, { abortSignal: call.signal })
      return CREATED
    } catch (error) {
      const [guard, spent] = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []
      if (guard?.Code === FAILED)
        return isMarked(guard.Item ?? {}, mark) ? CREATED : existing(call, put, guard.Item ?? null)
      if (spent?.Code === FAILED) return PROOF_REPLAYED
      if (guard?.Code === CONFLICT || spent?.Code === CONFLICT) {
        // Others are at the same rows: nothing was applied. One of them wins, and a later try sees it.
        await sleep(Math.min(2 ** attempt * 5, 200) * Math.random(), undefined, { signal: call.signal }).catch(() => {
          throw unavailable(error)
        })
        continue
      }
      const row = await getItem(call, grantKey(put.record.tenant, put.guard))
      if (row !== null && isMarked(row, mark)) return CREATED
      if (attempt > 0) throw unavailable(error)
    }
  }
}
