// What mint reads before and after its record: revocation version, state of the signing key, configuration version, each by a
// strong read of this call. Revocations themselves come from memory only while the version read now is the one under which
// all of a tenant's revocations were loaded; else the rows of the selectors asked for are read as strongly.
import { LIMITS } from '../../domain/limits.ts'
import type { Revocation, Selector } from '../../domain/revocation.ts'
import type { KeyState } from '../../domain/signing-key.ts'
import type { StateQuery, TenantState } from '../../ports/grant-store.ts'
import {
  begin,
  type Call,
  getItems,
  type Item,
  nameOf,
  numberOf,
  queryAll,
  type Table,
  textOf,
} from './dynamo-request.ts'
import { revocationsOf } from './dynamo-revocation-store.ts'
import {
  currentConfigKey,
  REVOCATION_SHARDS,
  revocationKey,
  revocationPartition,
  revocationVersionKey,
  signingKeyKey,
} from './table-keys.ts'

const NONE: readonly Revocation[] = []
/** Reads at one version that are answered row by row before the whole set is fetched: while revocations pour in, it never is. */
const READS_BEFORE_LOADING = 2

/** Stands for the version that is not there; marks of versions are never empty. */
const NO_VERSION = ''

type Known = {
  /** The version's mark; it is another after every change. */
  readonly mark: string
  /** All of the tenant's revocations as of that version or later, by row; null: not loaded. */
  readonly rows: ReadonlyMap<string, readonly Revocation[]> | null
  readonly readsWithout: number
}

type Bounds = {
  /** Revocations of one tenant that are kept in memory; beyond it they are read row by row. */
  readonly rowsPerTenantMax: number
  /** Of all tenants together. */
  readonly rowsMax: number
}

const BOUNDS: Bounds = {
  rowsPerTenantMax: LIMITS.revocationRowsPerTenantMax,
  rowsMax: LIMITS.revocationRowsCachedMax,
}

export const createTenantState = (table: Table, { rowsPerTenantMax, rowsMax }: Bounds = BOUNDS): TenantState => {
  const memory = createMemory(rowsMax)

  /** No version: no revocation of this tenant was ever accepted, and that is all of them. */
  const noneOf = (tenant: string): readonly Revocation[] => {
    if (memory.known(tenant)?.mark !== NO_VERSION)
      memory.remember(tenant, { mark: NO_VERSION, rows: new Map(), readsWithout: 0 })
    return NONE
  }

  const revocationsAt = async (
    call: Call,
    query: StateQuery,
    mark: string,
    asked: ReadonlyMap<string, Item> | null,
  ) => {
    const { tenant, selectors } = query
    if (selectors.length === 0) return NONE
    const known = memory.known(tenant)
    if (known?.mark === mark && known.rows !== null) return selectedOf(known.rows, tenant, selectors)
    const readsWithout = known?.mark === mark ? known.readsWithout + 1 : 1
    if (readsWithout > READS_BEFORE_LOADING && !memory.tooMany.has(tenant)) {
      const rows = await loadAll(call, tenant, rowsPerTenantMax)
      if (rows !== null) {
        // INVARIANT: under the mark that was read before the rows. What is newer may be among them; nothing older is missing.
        memory.remember(tenant, { mark, rows, readsWithout })
        return selectedOf(rows, tenant, selectors)
      }
      memory.tooMany.add(tenant)
    }
    memory.remember(tenant, { mark, rows: null, readsWithout })
    const rows = asked ?? (await getItems(call, rowsOf(tenant, selectors)))
    return rowsOf(tenant, selectors).flatMap((key) => {
      const row = rows.get(nameOf(key))
      return row === undefined ? [] : revocationsOf(row, tenant)
    })
  }

  return {
    // Nothing is known without asking: the look before the record is a strong read too.
    peek: () => undefined,
    async read(query) {
      const { tenant, kid, asksConfig } = query
      const call = await begin(table, tenant)
      const versionKey = revocationVersionKey(tenant)
      const keys = [
        versionKey,
        ...(kid === null ? [] : [signingKeyKey(tenant, kid)]),
        ...(asksConfig ? [currentConfigKey(tenant)] : []),
      ]
      // Where memory cannot answer whatever the version is, the selectors' rows come with the same request.
      const hasSet = memory.known(tenant)?.rows != null
      const answers = await getItems(call, hasSet ? keys : [...keys, ...rowsOf(tenant, query.selectors)])
      const mark = answers.get(nameOf(versionKey))?.['w']?.S
      return {
        configVersion: versionOf(answers.get(nameOf(currentConfigKey(tenant)))),
        keyState: kid === null ? null : keyStateOf(answers.get(nameOf(signingKeyKey(tenant, kid)))),
        revocations:
          mark === undefined ? noneOf(tenant) : await revocationsAt(call, query, mark, hasSet ? null : answers),
      }
    },
  }
}

/** What is known of tenants, up to `rowsMax` rows of all together; beyond, it is emptied and filled anew by the tenants that are busy. */
const createMemory = (rowsMax: number) => {
  const tenants = new Map<string, Known>()
  const tooMany = new Set<string>()
  let rowsCached = 0
  return {
    /** Tenants with more revocations than are kept. */
    tooMany,
    known: (tenant: string): Known | undefined => tenants.get(tenant),
    remember(tenant: string, known: Known): void {
      const more = (known.rows?.size ?? 0) - (tenants.get(tenant)?.rows?.size ?? 0)
      if (rowsCached + more > rowsMax || tenants.size >= rowsMax) {
        tenants.clear()
        tooMany.clear()
        rowsCached = known.rows?.size ?? 0
      } else rowsCached += more
      tenants.set(tenant, known)
    },
  }
}

const rowsOf = (tenant: string, selectors: readonly Selector[]) =>
  selectors.map((selector) => revocationKey(tenant, selector))

const selectedOf = (
  rows: ReadonlyMap<string, readonly Revocation[]>,
  tenant: string,
  selectors: readonly Selector[],
): readonly Revocation[] =>
  rows.size === 0 ? NONE : rowsOf(tenant, selectors).flatMap((key) => rows.get(nameOf(key)) ?? NONE)

/** All of a tenant's revocations; null: more rows than are kept in memory. */
const loadAll = async (
  call: Call,
  tenant: string,
  stopAfter: number,
): Promise<ReadonlyMap<string, readonly Revocation[]> | null> => {
  const partitions = Array.from({ length: REVOCATION_SHARDS }, (_, shard) => revocationPartition(tenant, shard))
  const read = (await Promise.all(partitions.map((pk) => queryAll(call, { pk, stopAfter })))).flat()
  if (read.length > stopAfter) return null
  const rows = new Map<string, readonly Revocation[]>()
  for (const row of read) {
    const revocations = revocationsOf(row, tenant)
    if (revocations.length > 0) rows.set(nameOf({ pk: textOf(row, 'pk'), sk: textOf(row, 'sk') }), revocations)
  }
  return rows
}

const versionOf = (row: Item | undefined): number | null =>
  row === undefined || numberOf(row, 'tombstonedAt') !== null ? null : numberOf(row, 'version')

const keyStateOf = (row: Item | undefined): KeyState | null => (row?.['state']?.S as KeyState | undefined) ?? null
