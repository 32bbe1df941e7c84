// The stores every contract suite runs against: in memory, and SQLite on a real file. One row each; test/aws adds DynamoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryDenials } from '../../lib/adapters/memory/denials.ts'
import { createMemoryGrantStore } from '../../lib/adapters/memory/grant-store.ts'
import { createMemoryIssuerKeyStore } from '../../lib/adapters/memory/issuer-key-store.ts'
import { createMemoryRevocationStore } from '../../lib/adapters/memory/revocation-store.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { createMemoryTenantConfigStore } from '../../lib/adapters/memory/tenant-config-store.ts'
import { createMemoryTenantState } from '../../lib/adapters/memory/tenant-state.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { createIssuerKeyStore } from '../../lib/adapters/sqlite/issuer-key-store.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/sqlite/tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import type { GrantRecord, NotIssued } from '../../lib/domain/grant-record.ts'
import type { Change } from '../../lib/ports/change-feed.ts'
import type { DecisionLookup, DenialQueue } from '../../lib/ports/decisions.ts'
import type { GrantStore, TenantState, TimeMark } from '../../lib/ports/grant-store.ts'
import type { IssuerKeyStore } from '../../lib/ports/issuer-keys.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'

/** Everything the change feed has handed out or would, from the start. */
export type Fed = { readonly records: readonly GrantRecord[]; readonly outcomes: readonly NotIssued[] }

export type Stores = {
  readonly grants: GrantStore
  readonly state: TenantState
  readonly configs: TenantConfigStore
  readonly keys: SigningKeyStore
  readonly issuerKeys: IssuerKeyStore
  readonly revocations: RevocationStore
  readonly timeMark: TimeMark
  readonly feed: () => Promise<Fed>
  readonly close: () => Promise<void>
}

export type DecisionStores = {
  readonly grants: GrantStore
  readonly denials: DenialQueue
  readonly decisions: DecisionLookup
  /** Until what was sent to the denial queue is durable. */
  readonly settle: () => Promise<void>
  readonly close: () => Promise<void>
}

const nothing = async () => undefined

const openMemoryStores = (): Stores & DecisionStores => {
  const grants = createMemoryGrantStore()
  const parts = {
    configs: createMemoryTenantConfigStore(),
    revocations: createMemoryRevocationStore(),
    keys: createMemorySigningKeyStore(),
  }
  const denials = createMemoryDenials(grants)
  return {
    grants,
    ...parts,
    issuerKeys: createMemoryIssuerKeyStore(),
    state: createMemoryTenantState(parts),
    denials,
    decisions: denials,
    timeMark: createMemoryTimeMark(),
    feed: async () => ({ records: grants.records(), outcomes: grants.outcomes() }),
    settle: nothing,
    close: nothing,
  }
}

const entriesOf = (changes: readonly Change[]): AuditEntry[] =>
  changes.flatMap(({ item }) => (item.kind === 'entry' ? item.entry : []))

export const openSqliteStores = (): Stores & DecisionStores => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-store-'))
  const database = openDatabase({ dataDir, dev: false })
  const denials = startDenialQueue(database, { rollUps: true })
  const timeMark = startTimeMark(database)
  const changes = createChangeFeed(database)
  return {
    grants: createGrantStore(database),
    state: createTenantState(database),
    configs: createTenantConfigStore(database),
    keys: createSigningKeyStore(database),
    issuerKeys: createIssuerKeyStore(database),
    revocations: createRevocationStore(database),
    denials,
    decisions: createDecisionLookup(database),
    timeMark,
    async feed() {
      const [records, outcomes] = await Promise.all([
        changes.read('grant', 0, 1_000),
        changes.read('not_issued', 0, 1_000),
      ])
      return {
        records: entriesOf(records).flatMap((entry) => (entry.kind === 'grant' ? entry.record : [])),
        outcomes: entriesOf(outcomes).flatMap((entry) => (entry.kind === 'not_issued' ? entry.outcome : [])),
      }
    },
    settle: denials.flush,
    async close() {
      await denials.close()
      await timeMark.close()
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export const STORES: readonly (readonly [name: string, open: () => Stores & DecisionStores])[] = [
  ['memory', openMemoryStores],
  ['sqlite', openSqliteStores],
]
