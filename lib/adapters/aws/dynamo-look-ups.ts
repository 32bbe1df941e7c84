// That an operator looked a decision up, as a row: the stream of the table takes it to audit.
import { randomUUID } from 'node:crypto'
import type { ControlChange } from '../../domain/control-change.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { LookUps } from '../../ports/change-feed.ts'
import { begin, type Item, keyOf, numberOf, type Table, textOf, write } from './dynamo-request.ts'
import { lookUpKey } from './table-keys.ts'

export const createLookUps = (table: Table): LookUps => ({
  async tell({ tenant, decisionId, by, atSeconds }) {
    const Item = {
      ...keyOf(lookUpKey(tenant, atSeconds, randomUUID())),
      decision: { S: decisionId },
      by: { S: by },
      at: { N: String(atSeconds) },
      ttl: { N: String(atSeconds + LIMITS.recordKeepSeconds) },
    }
    await write(await begin(table, tenant), { put: { Item } })
  },
})

/** What ids of look-ups begin with, in the log. */
export const LOOK_UP = 'look_up '

export const lookUpOf = (row: Item, tenant: string): Extract<ControlChange, { readonly what: 'look_up' }> => ({
  what: 'look_up',
  id: `${LOOK_UP}${textOf(row, 'sk')}`,
  tenant,
  decisionId: textOf(row, 'decision'),
  by: textOf(row, 'by'),
  atSeconds: numberOf(row, 'at') ?? 0,
})
