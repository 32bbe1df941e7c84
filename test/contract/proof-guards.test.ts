// Spent proofs on the adapters that need no Java; what two processes do is seen by two connections.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createMemoryProofGuards } from '../../lib/adapters/memory/proof-guards.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { createProofGuards } from '../../lib/adapters/sqlite/proof-guards.ts'
import { describeProofGuards } from './proof-guards.contract.ts'
import { NOW_SECONDS, samplePut } from './sample-rows.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-proofs-'))
const databases = [1, 2].map(() => openDatabase({ dataDir, dev: false })) as [
  ReturnType<typeof openDatabase>,
  ReturnType<typeof openDatabase>,
]
afterAll(() => {
  for (const database of databases) database.close()
  rmSync(dataDir, { recursive: true, force: true })
})
const memory = createMemoryProofGuards()
describeProofGuards('memory', async () => [memory, memory])
describeProofGuards('sqlite', async () => [createProofGuards(databases[0]), createProofGuards(databases[1])])

test('sqlite: a proof spent by a call redeems nothing, and one that redeemed is no call', async () => {
  const [guards, grants] = [createProofGuards(databases[0]), createGrantStore(databases[1])]
  const guard = (hash: string) => ({ hash, keepUntilSeconds: NOW_SECONDS + 150 })
  expect(await guards.spend('acme', guard('called'))).toBe(true)
  expect(await grants.put(samplePut('one', { proofGuard: guard('called') }))).toEqual({ outcome: 'proof_replayed' })
  expect(await grants.put(samplePut('two', { proofGuard: guard('redeemed') }))).toEqual({ outcome: 'created' })
  expect(await guards.spend('acme', guard('redeemed'))).toBe(false)
})
