// The order of a tenant's changes, for its feed. A change takes the next free number by a conditional write, so that numbers
// have no gaps and none is given twice; what it says of the revocation is read from the revocation's own row, as it is now. So
// two changes of one row may be numbered in either order and the last page that names it is right all the same.

import { LIMITS } from '../../domain/limits.ts'
import type { RevocationKind, Selector } from '../../domain/revocation.ts'
import type { FeedChange } from '../../domain/revocation-feed.ts'
import type { RevocationChange } from '../../domain/revocation-set.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { RevocationChanges } from '../../ports/revocation-feed.ts'
import {
  begin,
  type Call,
  getItems,
  type Item,
  keyOf,
  nameOf,
  newMark,
  numberOf,
  queryPage,
  type Table,
  textOf,
  writeIf,
} from './dynamo-request.ts'
import {
  type RowKey,
  revocationChangeKey,
  revocationChangesPartition,
  revocationKey,
  seqOfChange,
} from './table-keys.ts'

/** Others may take the number that was free: one of them wins each time, and the next one up is tried. */
const TRIES_MAX = 256
/** Keys of one BatchGetItem. */
const BATCH = 100

type Changed = Selector & { readonly form: FeedChange['form'] }
/** Why there is a change, for whoever looks for it in the log: an order, whose row follows; or all that is to be said of a lift. */
export type ChangeCause =
  | { readonly order: string }
  | { readonly lifted: { readonly id: string; readonly by: string; readonly reason: string } }
/** `atSeconds`: when the change was made. */
type Announced = Changed & { readonly atSeconds: number; readonly cause: ChangeCause | null }

/**
 * Numbers a change whose row is written. Durable when it resolves; done twice it is announced twice, which changes nothing.
 * Throws Unavailable.
 */
export const announceChange = async (
  call: Call,
  tenant: string,
  { kind, issuer, value, form, atSeconds, cause }: Announced,
): Promise<void> => {
  const said: Item = {
    kind: { S: kind },
    issuer: { S: issuer },
    value: { S: value },
    form: { S: form },
    at: { N: String(atSeconds) },
    ...(cause === null ? {} : causeOf(cause)),
  }
  const names = Object.keys(said)
  const first = (await headOf(call, tenant)) + 1
  // INVARIANT: a number is tried only when the one below it is there, so there are no gaps.
  for (let seq = first; seq < first + TRIES_MAX; seq += 1) {
    const key = revocationChangeKey(tenant, seq)
    const mark = newMark()
    const update = {
      Key: keyOf(key),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}, w = :mark`,
      ConditionExpression: 'attribute_not_exists(pk)',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(Object.entries(said).map(([name, value]) => [`:${name}`, value])),
        ':mark': { S: mark },
      },
    }
    if ((await writeIf(call, { update }, { key, mark })).applied) return
  }
  throw new Unavailable('store_unavailable')
}

const causeOf = (cause: ChangeCause): Item =>
  'order' in cause
    ? { order: { S: cause.order } }
    : {
        lifted: {
          M: { id: { S: cause.lifted.id }, by: { S: cause.lifted.by }, reason: { S: cause.lifted.reason } },
        },
      }

/** Why a change was made, from its row. Null: it says nothing, or less than is asked for here. */
export const causeIn = (row: Item): ChangeCause | null => {
  if (row['order']?.S !== undefined) return { order: row['order'].S }
  const lifted = row['lifted']?.M
  return lifted === undefined
    ? null
    : { lifted: { id: textOf(lifted, 'id'), by: textOf(lifted, 'by'), reason: textOf(lifted, 'reason') } }
}

export const createRevocationChanges = (table: Table): RevocationChanges => ({
  head: async (tenant) => headOf(await begin(table, tenant), tenant),
  async since(tenant, cursor, asked) {
    const max = Math.min(asked, LIMITS.feedChangesPerPageOnAws)
    const call = await begin(table, tenant)
    const pk = revocationChangesPartition(tenant)
    // The head first: what is numbered after it may be among the rows, and is left for the next page.
    const head = await headOf(call, tenant)
    const rows = await queryPage(call, { pk, beyond: revocationChangeKey(tenant, cursor).sk, limit: max })
    const seqs = rows.map((row) => seqOfChange(textOf(row, 'sk')))
    const within = rows.filter((_, at) => (seqs[at] as number) <= head)
    return {
      head,
      next: within.length < max ? head : seqOfChange(textOf(within.at(-1) as Item, 'sk')),
      changes: await asTheyAreNow(call, tenant, within),
    }
  },
})

export const headOf = async (call: Call, tenant: string): Promise<number> => {
  const [last] = await queryPage(call, { pk: revocationChangesPartition(tenant), isNewestFirst: true, limit: 1 })
  return last === undefined ? 0 : seqOfChange(textOf(last, 'sk'))
}

/** Each revocation once, in the place of its last change. */
const asTheyAreNow = async (call: Call, tenant: string, rows: readonly Item[]): Promise<readonly FeedChange[]> => {
  const changed = new Map<string, Changed>()
  for (const row of rows) {
    const change = changeOf(row)
    const name = `${change.form} ${nameOf(revocationKey(tenant, change))}`
    changed.delete(name)
    changed.set(name, change)
  }
  const all = [...changed.values()]
  const found = await allItems(call, [...new Map(all.map((change) => keyed(tenant, change))).values()])
  return all.flatMap((change) => {
    const row = found.get(nameOf(revocationKey(tenant, change)))
    return row === undefined ? [] : [nowOf(row, change)]
  })
}

const keyed = (tenant: string, change: Changed): readonly [string, RowKey] => {
  const key = revocationKey(tenant, change)
  return [nameOf(key), key]
}

const allItems = async (call: Call, keys: readonly RowKey[]): Promise<ReadonlyMap<string, Item>> => {
  const batches = Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, at) =>
    getItems(call, keys.slice(at * BATCH, (at + 1) * BATCH)),
  )
  return new Map((await Promise.all(batches)).flatMap((batch) => [...batch]))
}

export const changeOf = (row: Item): Changed => ({
  kind: textOf(row, 'kind') as RevocationKind,
  issuer: textOf(row, 'issuer'),
  value: textOf(row, 'value'),
  form: textOf(row, 'form') as Changed['form'],
})

/** A cut is never taken back; a block that is not there was lifted. */
const nowOf = (row: Item, change: Changed): FeedChange => {
  const bound = row['cut']?.M?.['notBefore']?.N
  const isCut = change.form === 'cut'
  return {
    ...change,
    notBeforeSeconds: isCut && bound !== undefined ? Number(bound) : null,
    isLifted: !isCut && row['block'] === undefined,
  }
}

/** Changes by number, each as its revocation is now, in the order asked for; of those there are. */
export const changesAt = async (
  call: Call,
  tenant: string,
  seqs: readonly number[],
): Promise<readonly RevocationChange[]> => {
  const rows = await allItems(
    call,
    seqs.filter((seq) => seq > 0).map((seq) => revocationChangeKey(tenant, seq)),
  )
  const found = seqs.map((seq) => rows.get(nameOf(revocationChangeKey(tenant, seq)))).filter((row) => row !== undefined)
  const keys = found.map((row) => revocationKey(tenant, changeOf(row)))
  const revocations = await allItems(call, keys)
  return found.flatMap((row, at) => {
    const revocation = revocations.get(nameOf(keys[at]!))
    return revocation === undefined ? [] : [changeNow(row, revocation)]
  })
}

/** A cut is never taken back; a block that is not there was lifted, and says so itself. */
const changeNow = (row: Item, revocation: Item): RevocationChange => {
  const change = changeOf(row)
  const inForce = revocation[change.form]?.M
  const isLifted = inForce === undefined
  const of = inForce ?? revocation['lifted']?.M ?? {}
  return {
    ...change,
    seq: seqOfChange(textOf(row, 'sk')),
    revocation: textOf(of, 'id'),
    notBeforeSeconds: change.form === 'cut' ? numberOf(of, 'notBefore') : null,
    isLifted,
    // A cut that was cut later has the time of its first end: of the change, its own row.
    atSeconds: (isLifted ? numberOf(of, 'liftedAt') : numberOf(row, 'at')) ?? numberOf(of, 'at') ?? 0,
  }
}
