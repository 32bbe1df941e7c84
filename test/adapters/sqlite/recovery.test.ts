// Quarantine and recovery in the file: what survives, what is passed over, and who is told.
import { expect, test } from 'vitest'
import { createChangeFeed } from '../../../lib/adapters/sqlite/change-feed.ts'
import { createReceivers } from '../../../lib/adapters/sqlite/receivers.ts'
import { createRecoveryStore } from '../../../lib/adapters/sqlite/recovery.ts'
import { createRevocationChanges } from '../../../lib/adapters/sqlite/revocation-changes.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { NOW_SECONDS, sampleConfig, sampleRevocation } from '../../contract/sample-rows.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const RECOVERY = {
  atSeconds: NOW_SECONDS,
  by: 'ops',
  reason: 'restored',
  floorSeconds: NOW_SECONDS + 30,
  seen: { 'x/log': ['x/log\n7\n'] },
}

test('nothing is in quarantine at first; the reason that was found first stands, and every process sees it', async () => {
  const dataDir = temporaryDirectory()
  const store = createRecoveryStore(open(dataDir))
  expect(await store.state()).toEqual({ quarantine: null, recovery: null })
  await store.quarantine({ reason: 'log_behind_anchor', sinceSeconds: NOW_SECONDS })
  await store.quarantine({ reason: 'operator', sinceSeconds: NOW_SECONDS + 5 })
  const elsewhere = createRecoveryStore(open(dataDir))
  expect((await elsewhere.state()).quarantine).toEqual({ reason: 'log_behind_anchor', sinceSeconds: NOW_SECONDS })
})

test('the end of the quarantine comes with the recovery, and is told to every tenant that is there', async () => {
  const database = open(temporaryDirectory())
  const configs = createTenantConfigStore(database)
  for (const tenant of ['acme', 'globex', 'gone']) await configs.put(sampleConfig({ tenant }))
  await configs.tombstone('gone', NOW_SECONDS, 'ops')
  const store = createRecoveryStore(database)
  await store.quarantine({ reason: 'operator', sinceSeconds: NOW_SECONDS })
  await store.finish(RECOVERY)
  expect(await store.state()).toEqual({ quarantine: null, recovery: RECOVERY })
  const changes = await createChangeFeed(database).read('change', 0, 100)
  const told = changes.filter(({ item }) => JSON.stringify(item).includes('"recovery"'))
  expect(told.map(({ item }) => item)).toMatchObject(
    ['acme', 'globex'].map((tenant) => ({
      entry: { change: { what: 'recovery', tenant, by: 'ops', reason: 'restored', floor: NOW_SECONDS + 30 } },
    })),
  )
})

test('numbers go on beyond any that can have been given out, also where none is left, and receivers wait for the next', async () => {
  const database = open(temporaryDirectory())
  const configs = createTenantConfigStore(database)
  const document = JSON.stringify({ receivers: { edge: { type: 'webhook' } } })
  for (const tenant of ['acme', 'globex']) await configs.put(sampleConfig({ tenant, document }))
  const revocations = createRevocationStore(database)
  await revocations.put(sampleRevocation({ tenant: 'acme' }))
  const store = createRecoveryStore(database)
  await store.skipNumbers()
  const changes = createRevocationChanges(database)
  expect([await changes.head('acme'), await changes.head('globex')]).toEqual([
    1 + LIMITS.recoveryNumbersSkipped,
    LIMITS.recoveryNumbersSkipped,
  ])
  const receivers = createReceivers(database)
  expect(await receivers.pending({ tenant: 'acme', name: 'edge' }, 10)).toEqual([])
  await revocations.put(sampleRevocation({ tenant: 'acme', kind: 'run', value: 'next' }))
  expect(await receivers.pending({ tenant: 'acme', name: 'edge' }, 10)).toMatchObject([
    { seq: 2 + LIMITS.recoveryNumbersSkipped, value: 'next' },
  ])
  expect((await receivers.list('acme'))[0]).toMatchObject({ pending: 1 })
  // A verifier that saw all of it is told what is in force, and none of what it has seen looks rolled back.
  expect(await changes.since('acme', 0, 10)).toMatchObject({ head: 2 + LIMITS.recoveryNumbersSkipped })
})
