// Events and salts of a log that go for good, row by row from the front, and what was kept of their denials beside them. Commitments,
// tiles and checkpoints stay, and so does that an event was in the log, by the hash of its id: nothing is taken in a second time.
import { LIMITS } from '../../domain/limits.ts'
import { forgetDenials } from './dynamo-denials.ts'
import { readEventsItem } from './dynamo-log-rows.ts'
import { begin, type Item, numberOf, queryAll, queryPage, removeItem, type Table, textOf } from './dynamo-request.ts'
import { deadLetterPartition, LOG_EVENTS, logPartition, sinkPartition } from './table-keys.ts'

/** Rows a request; each has one leaf or many. */
const PAGE = 32

type Forgotten = { readonly events: number; readonly isAll: boolean }

/**
 * Of the leaves below `before`, as many rows as one run has time for. A checkpoint is of a head, and no row reaches across a head: all
 * of a row is below, or nothing of it.
 */
export const forgetEvents = async (table: Table, tenant: string, before: number): Promise<Forgotten> => {
  let events = 0
  for (let rows = 0; rows < LIMITS.erasedRowsPerRun; rows += PAGE) {
    const page = await queryPage(await begin(table, tenant), {
      pk: logPartition(tenant),
      beyond: LOG_EVENTS,
      limit: PAGE,
    })
    const due = page.filter((row) => indexOf(row) < before)
    for (const row of due) events += await forgetRow(table, tenant, row)
    if (due.length < PAGE) return { events, isAll: true }
  }
  return { events, isAll: false }
}

const indexOf = (row: Item): number => Number(textOf(row, 'sk').slice(LOG_EVENTS.length))

/** How many events it had. The row goes last: what is kept beside it is found by it. */
const forgetRow = async (table: Table, tenant: string, row: Item): Promise<number> => {
  const call = await begin(table, tenant)
  const events = eventsOf(row)
  for (const { metadata, unmapped } of events.filter(({ class_uid }) => class_uid === 6003))
    await forgetDenials(call, tenant, { uid: metadata.uid, isCount: unmapped?.mintmark?.rolled_up === true })
  await removeItem(call, { pk: textOf(row, 'pk'), sk: textOf(row, 'sk') })
  return events.length
}

type Read = {
  readonly class_uid: number
  readonly metadata: { readonly uid: string }
  readonly unmapped?: { readonly mintmark?: { readonly rolled_up?: boolean } }
}

/** A row that is damaged, or of a later format, goes like any other: its time is over, and it must not keep the rest. */
const eventsOf = (row: Item): readonly Read[] => {
  try {
    return readEventsItem(row).map(({ canonical }) => JSON.parse(canonical) as Read)
  } catch {
    return []
  }
}

/** Dead letters of all sinks there ever were that are of such an event, or of such a time. */
export const forgetDeadLetters = async (
  table: Table,
  tenant: string,
  isDue: (letter: { readonly leaf: number | null; readonly atSeconds: number }) => boolean,
): Promise<void> => {
  for (const sink of await sinksOf(table, tenant)) {
    for (let after: string | undefined; ; ) {
      const call = await begin(table, tenant)
      const pk = deadLetterPartition(tenant, sink)
      const page = await queryPage(call, { pk, limit: PAGE, ...(after === undefined ? {} : { beyond: after }) })
      for (const row of page)
        if (isDue({ leaf: numberOf(row, 'leaf'), atSeconds: numberOf(row, 'at') ?? 0 }))
          await removeItem(call, { pk, sk: textOf(row, 'sk') })
      if (page.length < PAGE) break
      after = textOf(page.at(-1)!, 'sk')
    }
  }
}

const sinksOf = async (table: Table, tenant: string): Promise<readonly string[]> =>
  (await queryAll(await begin(table, tenant), { pk: sinkPartition(tenant) })).map((row) => textOf(row, 'sk'))
