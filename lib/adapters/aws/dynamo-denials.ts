// Denials by decision id. They have no record: audit keeps each as it took it, a counted one by the count it went into, beside the
// log of the tenant, before the event is in it.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { Denial, DenialRollUp, StoredDecision } from '../../domain/grant-record.ts'
import type { DecisionLookup, DenialRecords } from '../../ports/decisions.ts'
import {
  begin,
  type Call,
  getItem,
  type Item,
  isConditionFailure,
  keyOf,
  removeItem,
  type Table,
  textOf,
  write,
} from './dynamo-request.ts'
import { logDenialKey, logListedKey } from './table-keys.ts'

const FORMAT = { v: { N: '1' } } as const

/** Rows written side by side: those of a count that lists its decisions. */
const AT_ONCE = 16

export const createDenialRecords = (table: Table): DenialRecords => ({
  async keep(tenant, entries) {
    const items = entries.flatMap((entry) => itemsOf(tenant, entry))
    const call = await begin(table, tenant)
    for (let at = 0; at < items.length; at += AT_ONCE)
      await Promise.all(items.slice(at, at + AT_ONCE).map((each) => keepOnce(call, each)))
  },
})

/** A decision is kept once: what is there stands, or whoever can send a denial would write over that of any decision. */
const keepOnce = async (call: Call, Item: Item): Promise<void> => {
  const ConditionExpression = 'attribute_not_exists(pk)'
  try {
    await write(call, {
      put: { Item, ConditionExpression, ReturnValues: 'NONE', ReturnValuesOnConditionCheckFailure: 'NONE' },
    })
  } catch (error) {
    if (!isConditionFailure(error)) throw error
  }
}

type Kept = Exclude<StoredDecision, { kind: 'allow' }>

const itemsOf = (tenant: string, entry: AuditEntry): Item[] => {
  if (entry.kind === 'denial') return [item(tenant, entry.denial.decisionId, { kind: 'deny', denial: entry.denial })]
  if (entry.kind !== 'roll_up') return []
  const { id, minute, kind, source, count, listed } = entry.rollUp
  const rollUp: DenialRollUp = { tenant, minute, kind, source, count }
  if (listed.length === 0) return []
  // The event of a count does not name them, and who drops it must find them.
  return [
    { ...keyOf(logListedKey(tenant, id)), ...FORMAT, body: { S: JSON.stringify(listed) } },
    ...listed.map((decisionId) => item(tenant, decisionId, { kind: 'rolled_up', rollUp })),
  ]
}

const item = (tenant: string, decisionId: string, kept: Kept): Item => ({
  ...keyOf(logDenialKey(tenant, decisionId)),
  ...FORMAT,
  body: { S: JSON.stringify(kept) },
})

/** Denials only, of the tenant that is named. */
export const createDenialLookup = (table: Table): DecisionLookup => ({
  async find(decisionId, tenant) {
    if (tenant === null) return null
    const row = await getItem(await begin(table, tenant), logDenialKey(tenant, decisionId))
    return row === null ? null : readKeptDenial(row, tenant)
  },
})

/** What was kept of the denials of an event that goes, goes first. */
export const forgetDenials = async (call: Call, tenant: string, { uid, isCount }: KeptOf): Promise<void> => {
  const key = logListedKey(tenant, uid)
  const row = isCount ? await getItem(call, key) : null
  const listed = row === null ? [] : (JSON.parse(textOf(row, 'body')) as readonly string[])
  for (let at = 0; at < listed.length; at += AT_ONCE)
    await Promise.all(listed.slice(at, at + AT_ONCE).map((id) => removeItem(call, logDenialKey(tenant, id))))
  await removeItem(call, isCount ? key : logDenialKey(tenant, uid))
}

/** The event of a denial, or of a count of them. */
type KeptOf = { readonly uid: string; readonly isCount: boolean }

export const readKeptDenial = (row: Item, tenant: string): Kept => {
  if (row['v']?.N !== FORMAT.v.N) throw new Error('a stored row has a format this program does not know')
  const kept = JSON.parse(textOf(row, 'body')) as Kept
  const { tenant: named }: Denial | DenialRollUp = kept.kind === 'deny' ? kept.denial : kept.rollUp
  if (named !== tenant) throw new Error('a stored row names another tenant than its key')
  return kept
}
