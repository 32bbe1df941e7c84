// Revocations in DynamoDB: one row a selector, its block and its cut side by side, and a version of the tenant that is moved
// after every change. INVARIANT: the row first, then the version and the change's number in the feed, and only then does the call
// resolve: whoever reads the version that was there before asked before this revocation was accepted. No transaction, no index.
import type { Revocation, RevocationKind, Selector } from '../../domain/revocation.ts'
import type { RevocationStore } from '../../ports/revocations.ts'
import {
  begin,
  type Call,
  type Item,
  keyOf,
  newMark,
  queryAll,
  type Table,
  textOf,
  write,
  writeIf,
} from './dynamo-request.ts'
import { announceChange, type ChangeCause } from './dynamo-revocation-changes.ts'
import { REVOCATION_SHARDS, revocationKey, revocationPartition, revocationVersionKey } from './table-keys.ts'

export const createRevocationStore = (table: Table): RevocationStore => ({
  async put(revocation, order) {
    const call = await begin(table, revocation.tenant)
    const inForce = revocation.form === 'block' ? await putBlock(call, revocation) : await putCut(call, revocation)
    // Also where nothing changed: the writer of the row may have died before it said so.
    await sayChanged(call, revocation.tenant, { ...revocation, cause: order === undefined ? null : { order } })
    return inForce
  },

  async list(tenant) {
    const rows = await allRows(await begin(table, tenant), tenant)
    return rows
      .flatMap((row) => revocationsOf(row, tenant))
      .sort((a, b) => a.atSeconds - b.atSeconds || (a.id < b.id ? -1 : 1))
  },

  async lift({ tenant, id, by, reason, atSeconds }) {
    const call = await begin(table, tenant)
    const row = (await allRows(call, tenant)).find((row) => idOf(row, 'block') === id || idOf(row, 'lifted') === id)
    if (row === undefined) return false
    const block = row['block']
    let isLifted = false
    if (block !== undefined && idOf(row, 'block') === id) {
      const mark = newMark()
      const key = { pk: textOf(row, 'pk'), sk: textOf(row, 'sk') }
      const lifted = {
        ...block.M,
        liftedBy: { S: by },
        liftedReason: { S: reason },
        liftedAt: { N: String(atSeconds) },
      }
      const update = {
        Key: keyOf(key),
        UpdateExpression: 'SET lifted = :lifted, w = :mark REMOVE #block',
        ConditionExpression: '#block.#id = :id',
        ExpressionAttributeNames: { '#block': 'block', '#id': 'id' },
        ExpressionAttributeValues: { ':lifted': { M: lifted }, ':mark': { S: mark }, ':id': { S: id } },
      }
      isLifted = (await writeIf(call, { update }, { key, mark })).applied
    }
    // Also where it was lifted before: who did it may have died before that was said, and its readers still refuse. Then as it was
    // done; and where somebody did it just now, they say it themselves.
    const lift = isLifted ? { by, reason, atSeconds } : idOf(row, 'lifted') === id ? liftOf(row) : null
    const cause = lift === null ? null : { lifted: { id, by: lift.by, reason: lift.reason } }
    const at = lift?.atSeconds ?? atSeconds
    await sayChanged(call, tenant, { ...selectorOf(row), form: 'block', atSeconds: at, cause })
    return isLifted
  },
})

const allRows = async (call: Call, tenant: string): Promise<readonly Item[]> => {
  const shards = Array.from({ length: REVOCATION_SHARDS }, (_, shard) => revocationPartition(tenant, shard))
  return (await Promise.all(shards.map((pk) => queryAll(call, { pk })))).flat()
}

/** To those who decide, and to those who follow from afar. */
const sayChanged = async (
  call: Call,
  tenant: string,
  change: Selector & Pick<Revocation, 'form' | 'atSeconds'> & { readonly cause: ChangeCause | null },
): Promise<void> => {
  await Promise.all([moveVersion(call, tenant), announceChange(call, tenant, change)])
}

const selectorOf = (row: Item): Selector => ({
  kind: textOf(row, 'kind') as RevocationKind,
  issuer: textOf(row, 'issuer'),
  value: textOf(row, 'value'),
})

/** A new mark each time, not only a number: a restored table counts the same numbers again. */
const moveVersion = async (call: Call, tenant: string): Promise<void> => {
  const update = {
    Key: keyOf(revocationVersionKey(tenant)),
    UpdateExpression: 'SET w = :mark ADD version :one',
    ExpressionAttributeValues: { ':mark': { S: newMark() }, ':one': { N: '1' } },
  }
  await write(call, { update })
}

const SELECTOR = '#kind = :kind, #issuer = :issuer, #value = :value'
const SELECTOR_NAMES = { '#kind': 'kind', '#issuer': 'issuer', '#value': 'value' } as const
const selectorValues = ({ kind, issuer, value }: Revocation): Item => ({
  ':kind': { S: kind },
  ':issuer': { S: issuer },
  ':value': { S: value },
})

const formOf = ({ id, reason, by, atSeconds, notBeforeSeconds }: Revocation) => ({
  M: {
    id: { S: id },
    reason: { S: reason },
    by: { S: by },
    at: { N: String(atSeconds) },
    ...(notBeforeSeconds === null ? {} : { notBefore: { N: String(notBeforeSeconds) } }),
  },
})

/** The block that is in force stays: the same call any number of times has one effect. */
const putBlock = async (call: Call, revocation: Revocation): Promise<Revocation> => {
  const update = {
    Key: keyOf(revocationKey(revocation.tenant, revocation)),
    UpdateExpression: `SET ${SELECTOR}, #block = if_not_exists(#block, :block)`,
    ExpressionAttributeNames: { ...SELECTOR_NAMES, '#block': 'block' },
    ExpressionAttributeValues: { ...selectorValues(revocation), ':block': formOf(revocation) },
  }
  return inForce(await write(call, { update }), revocation)
}

/** Update expressions have no max(): insert where there is none, else raise the bound where it is lower. Both are monotone. */
const putCut = async (call: Call, revocation: Revocation): Promise<Revocation> => {
  const key = revocationKey(revocation.tenant, revocation)
  const names = { '#cut': 'cut', '#bound': 'notBefore' }
  const insert = {
    Key: keyOf(key),
    UpdateExpression: `SET ${SELECTOR}, #cut = if_not_exists(#cut, :cut)`,
    ExpressionAttributeNames: { ...SELECTOR_NAMES, '#cut': 'cut' },
    ExpressionAttributeValues: { ...selectorValues(revocation), ':cut': formOf(revocation) },
  }
  const first = inForce(await write(call, { update: insert }), revocation)
  const wanted = revocation.notBeforeSeconds ?? 0
  if ((first.notBeforeSeconds ?? 0) >= wanted) return first
  const mark = newMark()
  const raise = {
    Key: keyOf(key),
    UpdateExpression: 'SET #cut.#bound = :bound, w = :mark',
    ConditionExpression: '#cut.#bound < :bound',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ':bound': { N: String(wanted) }, ':mark': { S: mark } },
  }
  const raised = await writeIf(call, { update: raise }, { key, mark })
  return raised.applied ? { ...first, notBeforeSeconds: wanted } : inForce(raised.existing ?? undefined, revocation)
}

const inForce = (row: Item | undefined, { tenant, form }: Revocation): Revocation => {
  const found = revocationsOf(row ?? {}, tenant).find((revocation) => revocation.form === form)
  if (found === undefined) throw new Error('a revocation was written and is not there')
  return found
}

const idOf = (row: Item, name: 'block' | 'lifted'): string | undefined => row[name]?.M?.['id']?.S

/** Who lifted the block of a row last, and why; null: nobody has. For the reader of the change feed. */
export const liftOf = (row: Item) => {
  const lifted = row['lifted']?.M
  if (lifted === undefined) return null
  return {
    revocation: textOf(lifted, 'id'),
    ...selectorOf(row),
    by: textOf(lifted, 'liftedBy'),
    reason: textOf(lifted, 'liftedReason'),
    atSeconds: Number(lifted['liftedAt']?.N),
  }
}

/** What is in force of one row: its block, its cut, both or neither. */
export const revocationsOf = (row: Item, tenant: string): Revocation[] =>
  (['block', 'cut'] as const).flatMap((form) => {
    const of = row[form]?.M
    if (of === undefined) return []
    const bound = of['notBefore']?.N
    if ((form === 'cut') !== (bound !== undefined)) throw new Error('a cut has a bound, a block has none')
    return {
      id: textOf(of, 'id'),
      tenant,
      ...selectorOf(row),
      form,
      notBeforeSeconds: bound === undefined ? null : Number(bound),
      reason: textOf(of, 'reason'),
      by: textOf(of, 'by'),
      atSeconds: Number(of['at']?.N),
    }
  })
