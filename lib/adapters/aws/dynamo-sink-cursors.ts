// Cursors of sinks in DynamoDB, leased by compare-and-set to one process at a time. Dead letters are put before the cursor moves
// past them, each in the row its place in the log gives it: a crash in between buries the same event in the same row again.
import { LIMITS } from '../../domain/limits.ts'
import type { SinkTrouble } from '../../domain/sink.ts'
import type { Buried, SinkCursors, SinkKey, SinkPosition } from '../../ports/sinks.ts'
import {
  begin,
  getItem,
  type Item,
  keyOf,
  newMark,
  numberOf,
  type Table,
  textOf,
  write,
  writeIf,
} from './dynamo-request.ts'
import { deadLetterKey, sinkKey } from './table-keys.ts'

const NAMES = { '#leaf': 'leaf', '#checkpoint': 'checkpoint' } as const
/** Dead letters that are put at a time. */
const LETTERS_AT_ONCE = 16

// A lease that reaches further than a lease can is of a clock that went back.
const IS_FREE = 'attribute_not_exists(pk) OR holder = :holder OR leasedUntil <= :now OR leasedUntil > :beyond'

export const createSinkCursors = (table: Table): SinkCursors => {
  /** What this process has leased, by its name: nothing lists the leases of a holder. */
  const leased = new Map<string, Held>()

  return {
    async at({ tenant, sink }) {
      const row = await getItem(await begin(table, tenant), sinkKey(tenant, sink))
      return row === null ? null : positionOf(row)
    },

    async lease(target, holder, nowMs, untilMs) {
      const key = sinkKey(target.tenant, target.sink)
      const mark = newMark()
      const call = await begin(table, target.tenant)
      const update = { Key: keyOf(key), ...leaseUpdate({ holder, nowMs, untilMs, mark }) }
      if (!(await writeIf(call, { update }, { key, mark })).applied) return null
      leased.set(`${target.tenant}/${target.sink}`, { ...target, holder })
      // The holder alone moves it: what is read now is where the sink is.
      const row = await getItem(call, key)
      return row === null || textOf(row, 'holder') !== holder ? null : positionOf(row)
    },

    async advance(target, holder, to, dead, atSeconds) {
      const row = await getItem(await begin(table, target.tenant), sinkKey(target.tenant, target.sink))
      // Another process has the lease by now: it finds them itself.
      if (row === null || textOf(row, 'holder') !== holder) return
      for (let at = 0; at < dead.length; at += LETTERS_AT_ONCE)
        await Promise.all(dead.slice(at, at + LETTERS_AT_ONCE).map((letter) => bury(table, target, letter, atSeconds)))
      const was = positionOf(row)
      await updateHeld(
        table,
        { ...target, holder },
        {
          set: '#leaf = :leaf, #checkpoint = :checkpoint, failures = :none, trouble = :no, deliveredAt = :at',
          onlyIf: '#leaf = :wasLeaf AND #checkpoint = :wasCheckpoint',
          names: NAMES,
          values: {
            ':leaf': { N: String(Math.max(was.leaf, to.leaf)) },
            ':checkpoint': { N: String(Math.max(was.checkpoint, to.checkpoint)) },
            ':wasLeaf': { N: String(was.leaf) },
            ':wasCheckpoint': { N: String(was.checkpoint) },
            ':none': { N: '0' },
            ':no': { S: '' },
            ':at': { N: String(atSeconds) },
          },
        },
      )
    },

    async note(target, holder, failures, trouble) {
      await updateHeld(
        table,
        { ...target, holder },
        {
          set: 'failures = :failures, trouble = :trouble',
          values: { ':failures': { N: String(failures) }, ':trouble': { S: trouble ?? '' } },
        },
      )
    },

    async release(holder) {
      for (const [name, target] of [...leased]) {
        if (target.holder !== holder) continue
        await updateHeld(table, target, { set: 'leasedUntil = :zero', values: { ':zero': { N: '0' } } })
        leased.delete(name)
      }
    },
  }
}

type Held = SinkKey & { readonly holder: string }

type Lease = { readonly holder: string; readonly nowMs: number; readonly untilMs: number; readonly mark: string }

const leaseUpdate = ({ holder, nowMs, untilMs, mark }: Lease) => ({
  UpdateExpression: `SET holder = :holder, leasedUntil = :until, w = :mark,
    #leaf = if_not_exists(#leaf, :zero), #checkpoint = if_not_exists(#checkpoint, :zero)`,
  ConditionExpression: IS_FREE,
  ExpressionAttributeNames: NAMES,
  ExpressionAttributeValues: {
    ':holder': { S: holder },
    ':until': { N: String(untilMs) },
    ':now': { N: String(nowMs) },
    ':beyond': { N: String(nowMs + LIMITS.sinkLeaseMs) },
    ':zero': { N: '0' },
    ':mark': { S: mark },
  },
})

type HeldUpdate = {
  readonly set: string
  readonly onlyIf?: string
  readonly names?: Record<string, string>
  readonly values: Item
}

/** Changes nothing where another holds the sink by now, or `onlyIf` is not so. */
const updateHeld = async (table: Table, { tenant, sink, holder }: Held, request: HeldUpdate): Promise<void> => {
  const key = sinkKey(tenant, sink)
  const mark = newMark()
  const update = {
    Key: keyOf(key),
    UpdateExpression: `SET w = :mark, ${request.set}`,
    ConditionExpression: ['holder = :holder', request.onlyIf].filter(Boolean).join(' AND '),
    ...(request.names === undefined ? {} : { ExpressionAttributeNames: request.names }),
    ExpressionAttributeValues: { ':holder': { S: holder }, ':mark': { S: mark }, ...request.values },
  }
  await writeIf(await begin(table, tenant), { update }, { key, mark })
}

const bury = async (table: Table, { tenant, sink }: SinkKey, letter: Buried, atSeconds: number): Promise<void> => {
  const Item = {
    ...keyOf(deadLetterKey(tenant, sink, seqOf(letter))),
    ...(letter.leaf === null ? {} : { leaf: { N: String(letter.leaf) } }),
    reason: { S: letter.reason },
    at: { N: String(atSeconds) },
    event: { S: letter.canonical },
  }
  await write(await begin(table, tenant), { put: { Item } })
}

/** Odd for a leaf, even for a checkpoint: behind the last leaf it covers, before the next one. */
const seqOf = ({ leaf, checkpoint }: Buried): number => (leaf === null ? 2 * checkpoint : 2 * leaf + 1)

const positionOf = (row: Item): SinkPosition => ({
  leaf: numberOf(row, 'leaf') ?? 0,
  checkpoint: numberOf(row, 'checkpoint') ?? 0,
})

/** How it goes with a sink, as the board shows it; null: it was never delivered to. */
export const readSinkItem = (row: Item | null) => {
  const trouble = row?.['trouble']?.S
  return {
    leaf: row === null ? 0 : positionOf(row).leaf,
    failures: row === null ? 0 : (numberOf(row, 'failures') ?? 0),
    trouble: trouble === undefined || trouble === '' ? null : (trouble as SinkTrouble),
    deliveredAtSeconds: row === null ? null : numberOf(row, 'deliveredAt'),
  }
}
