// SIGKILL in the middle of commits: what the store acknowledged is found after every restart (P5, law of durability).
// A killed process loses what it held in memory, not the kernel's page cache: that fsync happens is asserted elsewhere
// (test/adapters/sqlite); this shows that no acknowledgement runs ahead of its commit and that recovery needs no hand.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { samplePut } from '../contract/sample-rows.ts'
import { guardOf, type PutLine } from './put-guards.ts'

const KILLS = 10
const SEED = 20_261_124
const RUN_MS_MAX = 400
const SCRIPT = fileURLToPath(new URL('put-guards.ts', import.meta.url))

/** mulberry32: the moments are repeatable from the seed, as far as a scheduler allows. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** Runs a writer, kills it `runMs` after its first acknowledgement, and gives back all it acknowledged. */
const runAndKill = async (dataDir: string, prefix: string, runMs: number): Promise<readonly PutLine[]> => {
  const child = spawn(process.execPath, [SCRIPT, 'loop', dataDir, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await sleep(runMs)
  child.kill('SIGKILL')
  expect((await closed)[1]).toBe('SIGKILL')
  // The last line may be cut off in the middle: that one was not acknowledged.
  return printed
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PutLine)
}

test('an answer given before its commit would be missing after one of ten kills', async () => {
  const random = seeded(SEED)
  const dataDir = temporaryDirectory()
  const acknowledged: PutLine[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    const lines = await runAndKill(dataDir, `kill-${kill}`, random() * RUN_MS_MAX)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter(({ outcome }) => outcome !== 'created')).toEqual([])
    acknowledged.push(...lines)

    const database = openDatabase({ dataDir, dev: false })
    try {
      const lookup = createDecisionLookup(database)
      const missing: string[] = []
      for (const { decision } of acknowledged)
        if ((await lookup.find(decision, 'acme'))?.kind !== 'allow') missing.push(decision)
      expect(missing, `after kill ${kill}`).toEqual([])
      // And spent: the same guard under a new decision is told which one holds it.
      const { guard, decision } = lines.at(-1)!
      expect(await createGrantStore(database).put(samplePut(guardOf(guard)))).toMatchObject({
        outcome: 'exists',
        existing: { decisionId: decision },
      })
    } finally {
      database.close()
    }
  }
})
