// Retention: what is gone is old, shown by a checkpoint that was signed when all of it was there; what is left verifies.
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { createLogRetention } from '../../../lib/adapters/sqlite/log-retention.ts'
import { createSinkCursors } from '../../../lib/adapters/sqlite/sink-cursors.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { sha256Hex } from '../../../lib/adapters/system/digest.ts'
import { checkpointText, noteOf } from '../../../lib/domain/tlog/signed-note.ts'
import { rootOfEdge } from '../../../lib/domain/tlog/tiles.ts'
import { expireEvents, isExpiryDue } from '../../../lib/flows/audit/expire-events.ts'
import { verifyLog } from '../../../lib/flows/audit/verify-log.ts'
import type { Expired } from '../../../lib/ports/tenant-log.ts'
import { sampleConfig, sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const DAY = 24 * 3600
const START = 1_790_000_000
const setUp = () => {
  const dataDir = temporaryDirectory()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  const retention = createLogRetention(audit)
  const key = { name: 'sts.example.com/t/acme/log', publicKey: new Uint8Array(32) }
  /** Records appended, and a checkpoint of them all, at a time. */
  const append = async (count: number, atSeconds: number, signer = key) => {
    const records = Array.from({ length: count }, () =>
      sampleRecord({ decisionId: randomUUID(), atSeconds, traceId: `trace of ${atSeconds}` }),
    )
    await log.append(
      'acme',
      records.map((record) => ({ kind: 'grant', record })),
    )
    const { origin, edge } = (await store.head('acme'))!
    const text = checkpointText({ origin, size: edge.size, root: rootOfEdge(nodeSha256, edge) })
    const note = noteOf(nodeSha256, text, [{ key: signer, signature: new Uint8Array(64) }])
    await store.putCheckpoint('acme', { size: edge.size, note }, atSeconds)
  }
  const verified = async (expired: () => Promise<Expired | null> = () => retention.expired('acme'), more = {}) =>
    verifyLog(
      { hashes: { sha256: nodeSha256, sha256Hex }, verify: () => true },
      {
        source: {
          checkpoint: async () => (await store.checkpoint('acme'))?.note ?? null,
          tile: (name) => store.tile('acme', name),
          leaves: (from, limit) => store.leaves('acme', from, limit),
          expired,
        },
        keys: [key],
        tenant: 'acme',
        earlier: (await store.history('acme')).map(({ note }) => note),
        ...more,
      },
    )
  return { dataDir, audit, store, retention, append, verified, key }
}

test('what a checkpoint of long ago covers is gone for good, and the log verifies and says how much', async () => {
  const { dataDir, store, retention, append, verified } = setUp()
  await append(200, START)
  await append(100, START + 40 * DAY)
  const salts = (await store.leaves('acme', 0, 400)).map(({ salt }) => Buffer.from(salt))
  expect(await retention.expire('acme', START + 10 * DAY, [])).toBe(400)
  expect(await retention.expired('acme')).toMatchObject({ leaves: 400, atSeconds: Math.floor(START / 60) * 60 })
  expect(await verified()).toMatchObject({ bad: null, size: 600, expired: 400, events: 200, good: 600 })
  const bytes = Buffer.concat(readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name))))
  expect(bytes.includes(`trace of ${START}"`)).toBe(false)
  expect(bytes.includes(`trace of ${START + 40 * DAY}"`)).toBe(true)
  expect(salts.some((salt) => bytes.includes(salt))).toBe(false)
})

test('nothing that is young, or that a sink of the document still waits for, is dropped; a removed sink waits for nothing', async () => {
  const { audit, retention, append } = setUp()
  await append(10, START)
  await append(10, START + 40 * DAY)
  expect(await retention.expire('acme', START, [])).toBe(0)
  // Named by the document, and not asked once.
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  const cursors = createSinkCursors(audit)
  for (const sink of ['siem', 'removed']) await cursors.lease({ tenant: 'acme', sink }, 'one', 0, 1)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  expect(await retention.expired('acme')).toBeNull()
  await cursors.advance({ tenant: 'acme', sink: 'siem' }, 'one', { leaf: 20, checkpoint: 0 }, [], 1)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(20)
})

test('what a sink refused goes with the event it is of, and not before, whether or not the event was still there', async () => {
  const { dataDir, audit, retention, append } = setUp()
  await append(10, START)
  await append(10, START + 40 * DAY)
  const cursors = createSinkCursors(audit)
  const siem = { tenant: 'acme', sink: 'siem' }
  await cursors.lease(siem, 'one', 0, 1)
  const letter = (leaf: number | null, canonical: string) => ({
    leaf,
    checkpoint: 0,
    reason: 'too_large' as const,
    canonical,
  })
  const bury = (atSeconds: number, ...letters: ReturnType<typeof letter>[]) =>
    cursors.advance(siem, 'one', { leaf: 40, checkpoint: 0 }, letters, atSeconds)
  // Refused late, of an old event and of a young one; and of checkpoints.
  await bury(START + 41 * DAY, letter(3, 'an old event'), letter(25, 'a young one'))
  await bury(START, letter(null, 'an old checkpoint'))
  await bury(START + 40 * DAY, letter(null, 'a young checkpoint'))
  const left = () =>
    audit.read((sql) => sql('SELECT event FROM sink_dead_letter ORDER BY event').all()).map(({ event }) => event)
  expect(await retention.expire('acme', START, ['siem'])).toBe(0)
  expect(await left()).toHaveLength(4)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(20)
  expect(await left()).toEqual(['a young checkpoint', 'a young one'])
  const bytes = Buffer.concat(readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name))))
  expect(bytes.includes('an old event')).toBe(false)
  await bury(START + 42 * DAY, letter(4, 'refused again'))
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  expect(await left()).toEqual(['a young checkpoint', 'a young one'])
})

test('an event that is gone without being expired is missing, and a claim without a checkpoint is no proof', async () => {
  const { audit, store, retention, append, verified } = setUp()
  await append(10, START)
  await append(10, START + 40 * DAY)
  await retention.expire('acme', START + 10 * DAY, [])
  await audit.write((sql) => sql('DELETE FROM log_leaf WHERE leaf = 25').run())
  expect((await verified()).bad).toEqual({ problem: 'event_missing', index: 25 })
  const { note } = (await store.history('acme'))[0]!
  const claim = async () => ({ leaves: 26, atSeconds: START, note })
  expect((await verified(claim)).bad?.problem).toBe('expired_unproven')
})

test('what shows an expiry may be of a key that was tainted since; what the log is now may not', async () => {
  const { retention, append, verified, key } = setUp()
  const successor = { ...key, publicKey: new Uint8Array(32).fill(1) }
  await append(10, START)
  await append(10, START + 40 * DAY, successor)
  await retention.expire('acme', START + 10 * DAY, [])
  const trusting = async (more: object) => (await verified(undefined, { earlier: [], ...more })).bad?.problem
  expect(await trusting({ keys: [successor] })).toBe('expired_unproven')
  expect(await trusting({ keys: [successor], pastKeys: [key] })).toBeUndefined()
  expect(await trusting({ keys: [key], pastKeys: [successor] })).toBe('checkpoint_invalid')
})

test("events are expired only where a version of the document let them go by now: that is not the log's word alone", async () => {
  const { dataDir, retention, append, verified } = setUp()
  await append(10, START)
  await append(10, START + 40 * DAY)
  await retention.expire('acme', START + 10 * DAY, [])
  const configs = createTenantConfigStore(open(dataDir))
  const problem = async (nowSeconds: number) => {
    const ports = { configs, clock: { nowSeconds: () => nowSeconds } }
    const isDue = (expired: Expired) => isExpiryDue(ports, 'acme', expired)
    return (await verified(undefined, { isDue })).bad?.problem
  }
  expect(await problem(START + 40 * DAY)).toBe('expired_unasked')
  await configs.put(sampleConfig())
  expect(await problem(START + 40 * DAY)).toBe('expired_unasked')
  await configs.put(sampleConfig({ version: 2, document: '{"audit":{"keep_days":30}}' }))
  await configs.put(sampleConfig({ version: 3 }))
  expect(await problem(START + 29 * DAY)).toBe('expired_unasked')
  expect(await problem(START + 40 * DAY)).toBeUndefined()
})

test('only tenants that say so lose events, and none while the clock is not trusted', async () => {
  const asked: unknown[] = []
  const ports = {
    retention: { expire: async (...args: unknown[]) => asked.push(args) },
    tenants: async () => ['acme', 'globex', 'gone'],
    directory: {
      current: async (tenant: string) =>
        (tenant === 'gone'
          ? null
          : { sinks: [{ name: 'siem' }], auditKeepSeconds: tenant === 'acme' ? 30 * DAY : null }) as never,
    },
    clock: { nowSeconds: () => START },
    clockGuard: { isTrusted: () => true },
  }
  expect(await expireEvents({ ...ports, clockGuard: { isTrusted: () => false } })).toEqual([])
  expect(asked).toEqual([])
  expect(await expireEvents(ports)).toEqual([{ tenant: 'acme', events: 1 }])
  expect(asked).toEqual([['acme', START - 30 * DAY, ['siem']]])
})
