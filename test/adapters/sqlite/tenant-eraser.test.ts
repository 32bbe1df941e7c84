// Erasure of a removed tenant, on real files: what is left is searched for byte by byte.
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDecisionLookup } from '../../../lib/adapters/sqlite/decision-lookup.ts'
import { startDenialQueue } from '../../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createQueue } from '../../../lib/adapters/sqlite/queue.ts'
import { createReceivers } from '../../../lib/adapters/sqlite/receivers.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantEraser } from '../../../lib/adapters/sqlite/tenant-eraser.ts'
import { createTenantState } from '../../../lib/adapters/sqlite/tenant-state.ts'
import { systemClock } from '../../../lib/adapters/system/clock.ts'
import type { NotIssued } from '../../../lib/domain/grant-record.ts'
import { applyTenants } from '../../../lib/flows/tenants/apply-tenants.ts'
import {
  NOW_SECONDS,
  sampleConfig,
  sampleDenial,
  sampleKey,
  samplePut,
  sampleRecord,
  sampleRevocation,
} from '../../contract/sample-rows.ts'
import { handClock } from '../../support/own-keys.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const SECRET = { sealedKey: randomBytes(96), sealedFeedSecret: randomBytes(60) }
/** In every row of acme that could name its people and projects. */
const CANARY = 'canary-of-acme-5b1d'
/** Every third is globex's, the last one too: that one must stay. */
const RECORDS = 451

const ORDERS = ['revocation_order', 'queue_message', 'quarantined_message']

const fill = async (dataDir: string) => {
  const database = open(dataDir)
  const configs = createTenantConfigStore(database)
  const keys = createSigningKeyStore(database)
  const revocations = createRevocationStore(database)
  const grants = createGrantStore(database)
  for (const tenant of ['acme', 'globex'])
    for (const version of [1, 2, 3])
      await configs.put(
        sampleConfig({
          tenant,
          version,
          digest: `${tenant}-${version}`,
          author: tenant === 'acme' ? CANARY : 'someone',
          document: JSON.stringify({
            receivers: tenant === 'acme' ? { [CANARY]: { type: 'poll' } } : {},
            filler: `${tenant === 'acme' ? CANARY : ''}${'x'.repeat(9_000)}`,
          }),
        }),
      )
  // Moved as a real key is, between keys of others, so that its row has lain in more places than one.
  for (let at = 0; at < 40; at += 1) {
    await keys.insert(sampleKey({ tenant: 'globex', kid: `kid-${at}`, sealed: randomBytes(96) }))
    if (at === 20) await keys.insert(sampleKey({ kid: 'acme-kid', sealed: SECRET.sealedKey }))
  }
  await keys.prove('acme', 'acme-kid', NOW_SECONDS)
  await keys.move('acme', 'acme-kid', 'prepared', 'active', NOW_SECONDS)
  await keys.move('acme', 'acme-kid', 'active', 'retiring', NOW_SECONDS)
  await keys.feedSecret('acme', () => SECRET.sealedFeedSecret)
  await keys.feedSecret('globex', () => randomBytes(60))
  for (const tenant of ['acme', 'globex'])
    await revocations.put(sampleRevocation({ tenant, value: tenant === 'acme' ? CANARY : '1' }))
  // What a revocation was before it was lifted, and what a receiver answered to it.
  const told = await revocations.put(sampleRevocation({ id: randomUUID(), kind: 'actor', value: CANARY }))
  await revocations.lift({ tenant: 'acme', id: told.id, by: CANARY, reason: CANARY, atSeconds: 1 })
  const answer = { seq: 3, jti: CANARY, problem: CANARY, status: null, bytes: null }
  await createReceivers(database).answer({ tenant: 'acme', name: CANARY }, [answer], NOW_SECONDS)
  const queue = createQueue(database, 'revoke', systemClock)
  for (const group of ['acme', 'globex']) {
    const named = group === 'acme' ? CANARY : 'x'
    await queue.send({ named }, { group, dedupe: `${group}-1` })
    await queue.put({ body: JSON.stringify({ named }), group }, 'malformed')
    await database.write((sql) =>
      sql('INSERT INTO revocation_order (tenant, id, at, body) VALUES (?, ?, ?, ?)').run(group, 'o-1', 1, `"${named}"`),
    )
  }
  const { evidence } = sampleRecord()
  const decisions: string[] = []
  for (let at = 0; at < RECORDS; at += 1) {
    const tenant = at % 3 === 0 ? 'globex' : 'acme'
    const put = samplePut(
      `guard-${at}`,
      {},
      { tenant, evidence: { ...evidence, sub: tenant === 'acme' ? CANARY : 'sub' } },
    )
    await grants.put(put)
    if (tenant === 'acme') decisions.push(put.record.decisionId)
  }
  const notIssued = (outcome: NotIssued) =>
    grants.putNotIssued({ outcome, guard: 'guard-0', keepUntilSeconds: NOW_SECONDS + 1 })
  await notIssued({
    decisionId: decisions[0]!,
    tenant: 'acme',
    atSeconds: NOW_SECONDS,
    refusal: { kind: 'revoked', detail: { value: CANARY } },
  })
  await notIssued({ ...sampleRecord(), tenant: 'globex', refusal: { kind: 'revoked' } })
  const denials = startDenialQueue(database, { rollUps: true })
  denials.send(sampleDenial({ source: CANARY }))
  denials.send(sampleDenial({ tenant: 'globex' }))
  await denials.close()
  return { database, configs, keys, revocations, grants, decisions }
}

/** All bytes of the store: the database, and the WAL where there is one. */
const bytesOf = (dataDir: string): Buffer =>
  Buffer.concat(
    ['mintmark.db', 'mintmark.db-wal']
      .map((name) => join(dataDir, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path)),
  )

test('nothing of a removed tenant is left, in no row, no free page and no WAL; its neighbour has lost nothing', async () => {
  const dataDir = temporaryDirectory()
  const { database, configs, keys, revocations, grants, decisions } = await fill(dataDir)
  const others = otherConnection(dataDir)
  const rowsOf = (tenant: string) =>
    [
      'tenant_config',
      'signing_key',
      'feed_secret',
      'revocation',
      ...ORDERS,
      'grant_record',
      'not_issued',
      'denial',
    ].map((table) => others.prepare(`SELECT count(*) AS count FROM ${table} WHERE tenant = ?`).get(tenant)?.['count'])
  const before = bytesOf(dataDir)
  for (const planted of [CANARY, SECRET.sealedKey, SECRET.sealedFeedSecret]) expect(before.includes(planted)).toBe(true)
  const neighbour = rowsOf('globex')

  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  const eraser = createTenantEraser(database)
  expect(await eraser.erase('acme', NOW_SECONDS + 1)).toBe(true)

  const after = bytesOf(dataDir)
  for (const planted of [CANARY, SECRET.sealedKey, SECRET.sealedFeedSecret])
    expect([planted === CANARY, after.indexOf(planted)]).toEqual([planted === CANARY, -1])
  expect(rowsOf('acme')).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(rowsOf('globex')).toEqual(neighbour)
  expect(await keys.list('acme')).toEqual([])
  expect(await revocations.list('acme')).toEqual([])
  expect(await createDecisionLookup(database).find(decisions[7]!, 'acme')).toBeNull()
  expect(await grants.put(samplePut('another', {}, { tenant: 'globex' }))).toEqual({ outcome: 'created' })
})

test('the tombstone outlives the erasure: the tenant stays denied, its name taken, and its versions do not begin anew', async () => {
  const { database, configs } = await fill(temporaryDirectory())
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  await createTenantEraser(database).erase('acme', NOW_SECONDS + 1)
  expect(await configs.latest('acme')).toMatchObject({
    version: { version: 3, document: '{}', digest: '' },
    tombstonedAtSeconds: NOW_SECONDS,
  })
  expect(
    await createTenantState(database).read({ tenant: 'acme', selectors: [], kid: 'acme-kid', asksConfig: true }),
  ).toEqual({
    configVersion: null,
    keyState: null,
    revocations: [],
  })
  expect(await configs.put(sampleConfig({ version: 1 }))).toBe(false)
  const again = { tenant: 'acme', document: '{}', digest: 'again' }
  const report = await applyTenants({ configs, clock: handClock(), cut: null }, [again], {
    author: 'someone',
    commit: '',
  })
  expect(report).toMatchObject({ applied: [{ tenant: 'acme', outcome: 'refused_tombstone' }], missing: ['globex'] })
})

test('only tombstones that are old enough are due, and an erased tenant is due no more', async () => {
  const { database, configs } = await fill(temporaryDirectory())
  const eraser = createTenantEraser(database)
  expect(await eraser.due(NOW_SECONDS)).toEqual([])
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  expect(await eraser.due(NOW_SECONDS)).toEqual([])
  expect(await eraser.due(NOW_SECONDS + 1)).toEqual(['acme'])
  await eraser.erase('acme', NOW_SECONDS + 1)
  expect(await eraser.due(NOW_SECONDS + 1)).toEqual([])
})

test('a tenant that was not removed is never erased', async () => {
  const { database, keys } = await fill(temporaryDirectory())
  await expect(createTenantEraser(database).erase('globex', NOW_SECONDS)).rejects.toThrow('only a removed tenant')
  expect(await keys.list('globex')).toHaveLength(40)
})

test('a crash at any write leaves a tenant that is still due, without its keys, and the next run finishes', async () => {
  const { database, configs, keys } = await fill(temporaryDirectory())
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  for (let writes = 1; ; writes += 1) {
    let count = 0
    const crashing = Object.create(database, {
      writeOver: {
        value: (work: Parameters<typeof database.writeOver>[0]) => {
          count += 1
          if (count > writes) throw new Error('crash')
          return database.writeOver(work)
        },
      },
      read: { value: database.read.bind(database) },
      write: { value: database.write.bind(database) },
      emptyWal: { value: database.emptyWal.bind(database) },
    }) as typeof database
    const done = await createTenantEraser(crashing)
      .erase('acme', NOW_SECONDS + 1)
      .catch(() => false)
    expect(await keys.list('acme')).toEqual([])
    if (done) break
    expect(await createTenantEraser(database).due(NOW_SECONDS + 1)).toEqual(['acme'])
    expect((await configs.latest('acme'))?.tombstonedAtSeconds).toBe(NOW_SECONDS)
  }
  expect(await createTenantEraser(database).due(NOW_SECONDS + 1)).toEqual([])
})

test('two processes that erase at once, and a broker that goes on recording, do not get in each other’s way', async () => {
  const dataDir = temporaryDirectory()
  const { database, configs, grants } = await fill(dataDir)
  const other = open(dataDir)
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  const recording = Array.from({ length: 200 }, (_, at) =>
    grants.put(samplePut(`during-${at}`, {}, { tenant: 'globex' })),
  )
  const erasures = await Promise.all(
    [database, other].map((each) => createTenantEraser(each).erase('acme', NOW_SECONDS + 1)),
  )
  expect(erasures).toContain(true)
  expect((await Promise.all(recording)).every(({ outcome }) => outcome === 'created')).toBe(true)
})

test('the last record of the feed waits for another to follow it, so that no sequence is given out twice', async () => {
  const { database, configs, grants } = await fill(temporaryDirectory())
  await grants.put(samplePut('last'))
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  const eraser = createTenantEraser(database)
  const lastSeq = () => database.read((sql) => sql('SELECT max(seq) AS seq FROM grant_record').get())?.['seq']
  const before = lastSeq()
  expect(await eraser.erase('acme', NOW_SECONDS + 1)).toBe(false)
  expect(lastSeq()).toBe(before)
  expect(await eraser.due(NOW_SECONDS + 1)).toEqual(['acme'])
  await grants.put(samplePut('next', {}, { tenant: 'globex' }))
  expect(await eraser.erase('acme', NOW_SECONDS + 1)).toBe(true)
})
