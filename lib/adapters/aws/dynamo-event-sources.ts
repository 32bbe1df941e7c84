// The rows that events were made from, by what the events say: for whoever asks whether they are still what they were. A hundred rows
// a request, strong reads.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { ControlChange } from '../../domain/control-change.ts'
import type { EventSource, EventSources } from '../../ports/control-records.ts'
import { readAppliedOrderItem } from './dynamo-applied-orders.ts'
import { documentChange, entryOf, erasureId, keyRows, removalOf } from './dynamo-control-records.ts'
import { readKeptDenial } from './dynamo-denials.ts'
import { LOOK_UP, lookUpOf } from './dynamo-look-ups.ts'
import { begin, type Call, getItems, type Item, nameOf, type Table, textOf } from './dynamo-request.ts'
import { liftOf } from './dynamo-revocation-store.ts'
import { keyMoveOf } from './dynamo-signing-key-store.ts'
import { versionOf } from './dynamo-tenant-config-store.ts'
import {
  appliedOrderKey,
  configVersionKey,
  currentConfigKey,
  logDenialKey,
  logListedKey,
  logUidKey,
  lookUpKey,
  type RowKey,
  revocationKey,
  signingKeyKey,
} from './table-keys.ts'

type Found = AuditEntry | 'later'
type KeySource = Extract<EventSource, { readonly kind: 'key' }>
type RowSource = Exclude<EventSource, KeySource>

/** Where the row of an event lies, and what it says of it; null: nothing. */
type Place = {
  readonly table: 'core' | 'log'
  readonly key: RowKey
  readonly read: (row: Item) => Found | null
}

const placeOf = (tenant: string, source: RowSource): Place => {
  const { uid } = source
  switch (source.kind) {
    case 'order': {
      const read = (row: Item): Found => ({ kind: 'revocation', applied: readAppliedOrderItem(row) })
      return { table: 'core', key: appliedOrderKey(tenant, uid), read }
    }
    case 'document': {
      const read = (row: Item): Found => entryOf(documentChange(versionOf(row, tenant)))
      return { table: 'core', key: configVersionKey(tenant, source.version), read }
    }
    case 'removal':
      return { table: 'core', key: currentConfigKey(tenant), read: (row) => orNull(removalOf(row, tenant)) }
    case 'lift':
      return { table: 'core', key: revocationKey(tenant, source.selector), read: (row) => liftIn(row, tenant, uid) }
    case 'look_up': {
      const key = lookUpKey(tenant, source.atSeconds, uid.slice(LOOK_UP.length))
      return { table: 'core', key, read: (row) => entryOf(lookUpOf(row, tenant)) }
    }
    case 'denial':
      return { table: 'log', key: logDenialKey(tenant, source.decisionId), read: (row) => denialIn(row, tenant) }
    case 'count':
      return { table: 'log', key: logListedKey(tenant, uid), read: () => 'later' }
  }
}

const orNull = (change: ControlChange | null): Found | null => (change === null ? null : entryOf(change))

/** The block may have come back, and been lifted again. */
const liftIn = (row: Item, tenant: string, uid: string): Found | null => {
  const lift = liftOf(row)
  if (lift === null) return null
  return lift.revocation === uid ? entryOf({ what: 'unblock', id: uid, tenant, ...lift }) : 'later'
}

/** Whoever can send a denial can send one of a decision that was counted before. */
const denialIn = (row: Item, tenant: string): Found => {
  const kept = readKeptDenial(row, tenant)
  return kept.kind === 'deny' ? { kind: 'denial', denial: kept.denial } : 'later'
}

export const createEventSources = (tables: Readonly<Record<Place['table'], Table>>): EventSources => ({
  async of(tenant, sources) {
    const found = new Map<string, Found>()
    const calls = { core: await begin(tables.core, tenant), log: await begin(tables.log, tenant) }
    const placed = sources.flatMap((source) =>
      source.kind === 'key' ? [] : [{ uid: source.uid, ...placeOf(tenant, source) }],
    )
    for (const [table, places] of Map.groupBy(placed, ({ table }) => table)) {
      const rows = await allItems(
        calls[table],
        places.map(({ key }) => key),
      )
      for (const { uid, key, read } of places) {
        const row = rows.get(nameOf(key))
        const said = row === undefined ? null : read(row)
        if (said !== null) found.set(uid, said)
      }
    }
    const keys = sources.filter((source) => source.kind === 'key')
    if (keys.length > 0) await findKeys(calls, tenant, keys, found)
    return found
  },
})

/** Keys of one BatchGetItem. */
const BATCH = 100

const allItems = async (call: Call, keys: readonly RowKey[]): Promise<ReadonlyMap<string, Item>> => {
  const items = new Map<string, Item>()
  for (let at = 0; at < keys.length; at += BATCH)
    for (const [name, item] of await getItems(call, keys.slice(at, at + BATCH))) items.set(name, item)
  return items
}

/** A key of a removed tenant is erased, and the log says so. */
const findKeys = async (
  { core, log }: Readonly<Record<Place['table'], Call>>,
  tenant: string,
  sources: readonly KeySource[],
  found: Map<string, Found>,
): Promise<void> => {
  const rows = new Map((await keyRows(core, tenant)).map((row) => [textOf(row, 'sk'), row]))
  const rowOf = ({ kid }: KeySource): Item | undefined => rows.get(signingKeyKey(tenant, kid).sk)
  const erasureOf = ({ kid }: KeySource): RowKey => logUidKey(tenant, erasureId(signingKeyKey(tenant, kid)))
  const gone = sources.filter((source) => rowOf(source) === undefined)
  const erased = await allItems(log, gone.map(erasureOf))
  for (const source of sources) {
    const row = rowOf(source)
    const move = row === undefined ? null : keyMoveOf(row, tenant, source.state)
    if (move !== null) found.set(source.uid, entryOf(move))
    // Rows of earlier versions do not tell of every move.
    else if (row !== undefined || erased.has(nameOf(erasureOf(source)))) found.set(source.uid, 'later')
  }
}
