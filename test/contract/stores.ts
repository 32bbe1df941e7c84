// The stores every contract suite runs against: in memory, and SQLite on a real file. One row each.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryDenials } from '../../lib/adapters/memory/denials.ts'
import { createMemoryGrantStore } from '../../lib/adapters/memory/grant-store.ts'
import { createMemoryRevocationStore } from '../../lib/adapters/memory/revocation-store.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { createMemoryTenantConfigStore } from '../../lib/adapters/memory/tenant-config-store.ts'
import { createMemoryTenantState } from '../../lib/adapters/memory/tenant-state.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/sqlite/tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import type { DecisionLookup, DenialQueue } from '../../lib/ports/decisions.ts'
import type { GrantStore, TenantState, TimeMark } from '../../lib/ports/grant-store.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'

export type Stores = {
  readonly grants: GrantStore
  readonly state: TenantState
  readonly configs: TenantConfigStore
  readonly keys: SigningKeyStore
  readonly revocations: RevocationStore
  readonly denials: DenialQueue
  readonly decisions: DecisionLookup
  readonly timeMark: TimeMark
  /** Until what was sent to the denial queue is durable. */
  readonly settle: () => Promise<void>
  readonly close: () => Promise<void>
}

export const openMemoryStores = (): Stores => {
  const grants = createMemoryGrantStore()
  const parts = {
    configs: createMemoryTenantConfigStore(),
    revocations: createMemoryRevocationStore(),
    keys: createMemorySigningKeyStore(),
  }
  const denials = createMemoryDenials(grants)
  const nothing = async () => undefined
  return {
    grants,
    ...parts,
    state: createMemoryTenantState(parts),
    denials,
    decisions: denials,
    timeMark: createMemoryTimeMark(),
    settle: nothing,
    close: nothing,
  }
}

const openSqliteStores = (): Stores => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-store-'))
  const database = openDatabase({ dataDir, dev: false })
  const denials = startDenialQueue(database, { rollUps: true })
  const timeMark = startTimeMark(database)
  return {
    grants: createGrantStore(database),
    state: createTenantState(database),
    configs: createTenantConfigStore(database),
    keys: createSigningKeyStore(database),
    revocations: createRevocationStore(database),
    denials,
    decisions: createDecisionLookup(database),
    timeMark,
    settle: denials.flush,
    async close() {
      await denials.close()
      await timeMark.close()
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export const STORES: readonly (readonly [name: string, open: () => Stores])[] = [
  ['memory', openMemoryStores],
  ['sqlite', openSqliteStores],
]
