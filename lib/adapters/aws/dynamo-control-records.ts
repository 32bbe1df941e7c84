// What was done to a tenant, from rows that stay: by number where rows have one, else those of one partition. Strong reads, no index,
// and of keys nothing that could be opened.
import { type AuditEntry, nameOfEntry } from '../../domain/audit-entry.ts'
import type { ControlChange } from '../../domain/control-change.ts'
import type { ControlRecords, NumberedChange } from '../../ports/control-records.ts'
import type { ConfigVersion } from '../../ports/tenants.ts'
import { readAppliedOrderItem } from './dynamo-applied-orders.ts'
import { lookUpOf } from './dynamo-look-ups.ts'
import {
  begin,
  type Call,
  getItem,
  getItems,
  type Item,
  numberOf,
  queryAll,
  queryPage,
  type Table,
  textOf,
} from './dynamo-request.ts'
import { causeIn, changeOf } from './dynamo-revocation-changes.ts'
import { KEY_MOVE_ATTRIBUTES, KEY_STATES, keyMoveOf } from './dynamo-signing-key-store.ts'
import { versionOf } from './dynamo-tenant-config-store.ts'
import {
  appliedOrderKey,
  configVersionKey,
  currentConfigKey,
  lookUpPartition,
  type RowKey,
  revocationChangeKey,
  revocationChangesPartition,
  seqOfChange,
  signingKeyPartition,
} from './table-keys.ts'

export const createControlRecords = (table: Table): ControlRecords => ({
  async changes(tenant, series, after, max) {
    const call = await begin(table, tenant)
    return series === 'document' ? documents(call, tenant, after, max) : revocations(call, tenant, after, max)
  },
  async entries(tenant, series, changes) {
    const call = await begin(table, tenant)
    if (changes.length === 0) return new Map()
    if (series === 'document') {
      const rows = await getItems(
        call,
        changes.map(({ number }) => configVersionKey(tenant, number)),
      )
      return entriesOf([...rows.values()].map((row) => entryOf(documentChange(versionOf(row, tenant)))))
    }
    const rows = await getItems(
      call,
      changes.flatMap(({ owes }) => (owes === null ? [] : [appliedOrderKey(tenant, owes.id)])),
    )
    return entriesOf([...rows.values()].map((row) => ({ kind: 'revocation', applied: readAppliedOrderItem(row) })))
  },
  async keyMoves(tenant) {
    const rows = await keyRows(await begin(table, tenant), tenant)
    return rows.flatMap((row) =>
      KEY_STATES.flatMap((state) => {
        const move = keyMoveOf(row, tenant, state)
        return move === null ? [] : [entryOf(move)]
      }),
    )
  },
  async lookUps(tenant, hour) {
    const rows = await queryAll(await begin(table, tenant), { pk: lookUpPartition(tenant, hour) })
    return rows.map((row) => entryOf(lookUpOf(row, tenant)))
  },
})

export const entryOf = (change: ControlChange): AuditEntry => ({ kind: 'change', change })

type Change<What> = Extract<ControlChange, { readonly what: What }>

export const documentChange = (of: ConfigVersion): Change<'config'> => {
  const { tenant, version, digest, author, commit, diff, appliedAtSeconds: atSeconds } = of
  return { what: 'config', id: documentId(version), tenant, atSeconds, version, digest, author, commit, diff }
}
const documentId = (version: number): string => `config.${version}`

/** From the row of the current document; null: the tenant was not removed. */
export const removalOf = (row: Item, tenant: string): Change<'removal'> | null => {
  const atSeconds = numberOf(row, 'tombstonedAt')
  return atSeconds === null
    ? null
    : { what: 'removal', id: 'removal', tenant, atSeconds, by: textOf(row, 'tombstonedBy') }
}

/** Of what was a row of keys. */
export const erasureId = ({ sk }: Pick<RowKey, 'sk'>): string => `erasure ${sk}`

/** Of keys as far as they tell of moves. */
export const keyRows = (call: Call, tenant: string): Promise<readonly Item[]> =>
  queryAll(call, { pk: signingKeyPartition(tenant), only: KEY_MOVE_ATTRIBUTES })

/** Their numbers are versions; the removal has the one behind the last, which no document will have. */
const documents = async (
  call: Call,
  tenant: string,
  after: number,
  max: number,
): Promise<readonly NumberedChange[]> => {
  const row = await getItem(call, currentConfigKey(tenant))
  const last = row === null ? 0 : (numberOf(row, 'version') ?? 0)
  const changes: NumberedChange[] = []
  for (let number = after + 1; number <= last && changes.length < max; number += 1)
    changes.push({ number, owes: { id: documentId(number), atSeconds: null, entry: null } })
  const removal = row === null ? null : removalOf(row, tenant)
  if (removal !== null && after <= last && changes.length < max)
    changes.push({
      number: last + 1,
      owes: { id: removal.id, atSeconds: removal.atSeconds, entry: entryOf(removal) },
    })
  return changes
}

const revocations = async (
  call: Call,
  tenant: string,
  after: number,
  max: number,
): Promise<readonly NumberedChange[]> => {
  const beyond = revocationChangeKey(tenant, after).sk
  const rows = await queryPage(call, { pk: revocationChangesPartition(tenant), beyond, limit: max })
  return rows.map((row) => {
    const [number, atSeconds, cause] = [seqOfChange(textOf(row, 'sk')), numberOf(row, 'at'), causeIn(row)]
    if (cause === null) return { number, owes: null }
    if ('order' in cause) return { number, owes: { id: cause.order, atSeconds, entry: null } }
    const { id, by, reason } = cause.lifted
    const { kind, issuer, value } = changeOf(row)
    const lift = { id, tenant, atSeconds: atSeconds ?? 0, revocation: id, kind, issuer, value, by, reason }
    return { number, owes: { id, atSeconds, entry: entryOf({ what: 'unblock', ...lift }) } }
  })
}

const entriesOf = (entries: readonly AuditEntry[]): ReadonlyMap<string, AuditEntry> =>
  new Map(entries.map((entry) => [nameOfEntry(entry).id, entry]))
