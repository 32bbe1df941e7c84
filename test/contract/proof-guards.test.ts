// The laws of spent proofs (lib/ports/proof-guards.ts) on every adapter; what two processes do is seen by two connections.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createMemoryProofGuards } from '../../lib/adapters/memory/proof-guards.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { createProofGuards } from '../../lib/adapters/sqlite/proof-guards.ts'
import { NOW_SECONDS, samplePut } from './sample-rows.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-proofs-'))
const databases = [1, 2].map(() => openDatabase({ dataDir, dev: false }))
afterAll(() => {
  for (const database of databases) database.close()
  rmSync(dataDir, { recursive: true, force: true })
})
const memory = createMemoryProofGuards()
const guard = (hash: string) => ({ hash, keepUntilSeconds: NOW_SECONDS + 150 })

test.each([
  ['memory', [memory, memory]],
  ['sqlite', databases.map(createProofGuards)],
] as const)(
  '%s: of many who spend a proof at once one is told that it was good, and of other tenants each',
  async (_, guards) => {
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, at) => guards[at % 2]!.spend(at < 30 ? 'acme' : 'globex', guard('a proof'))),
    )
    expect(all.slice(0, 30).filter(Boolean)).toHaveLength(1)
    expect(all.slice(30).filter(Boolean)).toHaveLength(1)
    expect(await guards[0]!.spend('acme', guard('another'))).toBe(true)
  },
)

test('sqlite: a proof spent by a call redeems nothing, and one that redeemed is no call', async () => {
  const [guards, grants] = [createProofGuards(databases[0]!), createGrantStore(databases[1]!)]
  expect(await guards.spend('acme', guard('called'))).toBe(true)
  expect(await grants.put(samplePut('one', { proofGuard: guard('called') }))).toEqual({ outcome: 'proof_replayed' })
  expect(await grants.put(samplePut('two', { proofGuard: guard('redeemed') }))).toEqual({ outcome: 'created' })
  expect(await guards.spend('acme', guard('redeemed'))).toBe(false)
})
