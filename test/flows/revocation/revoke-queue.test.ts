// Orders through the real revoke function over real SQLite: which of a storm and an urgent one is in force first, and what a
// refused one leaves behind.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pumpAll } from '../../../bin/embedded/queue-pump.ts'
import { embeddedRevocation } from '../../../bin/embedded/revocation.ts'
import { createHandler } from '../../../functions/revoke/handler.ts'
import { type Database, openDatabase } from '../../../lib/adapters/sqlite/database.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { REVOCATION_KINDS } from '../../../lib/domain/revocation.ts'
import { isUrgent, type RevocationOrder } from '../../../lib/domain/revocation-order.ts'
import { sendOrder } from '../../../lib/flows/revocation/send-order.ts'
import { sampleOrder } from '../../contract/sample-rows.ts'

let database: Database
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mintmark-urgent-'))
  database = openDatabase({ dataDir, dev: false })
})
afterEach(() => {
  database.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const PROOF = { kind: 'set', set: 'a.b.c' } as const
const order = (kind: RevocationOrder['selectors'][number]['kind'], value: string): RevocationOrder =>
  sampleOrder({ proof: PROOF, selectors: [{ kind, issuer: REVOCATION_KINDS[kind].scoped ? 'github' : '', value }] })

test('of 500 runs that are reported and one grant in their middle, the grant is denied with the first batch', async () => {
  const always = { verify: async () => 'events/idp' }
  const { queue, ports } = embeddedRevocation(database, dataDir, { set: always })
  const quiet = { error: () => undefined, warn: () => undefined }
  const handler = createHandler({ ports, quarantine: queue, log: quiet as never })
  const storm = Array.from({ length: 500 }, (_, at) => order('run', String(at)))
  await Promise.all(storm.slice(0, 250).map((one) => sendOrder(queue, one)))
  await sendOrder(queue, order('grant', 'deploy-prod'))
  await Promise.all(storm.slice(250).map((one) => sendOrder(queue, one)))

  expect(await pumpAll({ source: queue, handler }, () => true)).toBe(LIMITS.queueBatchMax)
  const inForce = () => createRevocationStore(database).list('acme')
  const kinds = (await inForce()).map(({ kind }) => kind)
  expect(kinds).toContain('grant')
  expect(kinds).toHaveLength(LIMITS.queueBatchMax)
  await pumpAll({ source: queue, handler })
  expect(await inForce()).toHaveLength(501)
})

test('an order of an operator is urgent whatever it names; one that is reported only when it names many', () => {
  const run = order('run', '1')
  expect([isUrgent(run), isUrgent({ ...run, proof: { kind: 'uid', uid: 0 } })]).toEqual([false, true])
  const urgent = Object.keys(REVOCATION_KINDS).filter((kind) =>
    isUrgent(order(kind as keyof typeof REVOCATION_KINDS, 'x')),
  )
  expect(urgent).toEqual(['project', 'issuer', 'issuer_key', 'own_key', 'grant', 'tenant'])
})

test.each(['token', 'leak'] as const)('a refused order leaves no %s in quarantine that could be used', async (kind) => {
  const never = { verify: async () => null }
  const { queue, ports } = embeddedRevocation(database, dataDir, { token: never, leak: never })
  const quiet = { error: () => undefined, warn: () => undefined }
  const handler = createHandler({ ports, quarantine: queue, log: quiet as never })
  await sendOrder(queue, { ...order('run', '1'), proof: { kind, token: 'header.payload.signature' } })
  expect(await pumpAll({ source: queue, handler })).toBe(1)
  const rows = database.read((sql) => sql('SELECT body, reason FROM quarantined_message').all())
  expect(rows).toMatchObject([{ reason: 'proof_not_accepted' }])
  expect(String(rows[0]?.['body'])).toContain('header.payload')
  expect(String(rows[0]?.['body'])).not.toContain('signature')
})
