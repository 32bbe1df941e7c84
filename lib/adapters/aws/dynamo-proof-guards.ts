// Proofs that callers spend, in DynamoDB: one conditional put. They lie beside those that mint redeems with a record, under a prefix
// of their own, so that who answers callers writes no row that mint reads.
import type { ProofGuards } from '../../ports/proof-guards.ts'
import { begin, keyOf, newMark, type Table, writeIf } from './dynamo-request.ts'
import { callerProofKey } from './table-keys.ts'

export const createProofGuards = (table: Table): ProofGuards => ({
  async spend(tenant, { hash, keepUntilSeconds }) {
    const key = callerProofKey(tenant, hash)
    const mark = newMark()
    const Item = { ...keyOf(key), w: { S: mark }, ttl: { N: String(keepUntilSeconds) } }
    const put = { Item, ConditionExpression: 'attribute_not_exists(pk)' }
    return (await writeIf(await begin(table, tenant), { put }, { key, mark })).applied
  },
})
