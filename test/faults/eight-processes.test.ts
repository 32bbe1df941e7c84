// One redemption, eight real processes on one data directory (P4): the file's unique index is all that judges between them.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { guardOf, type PutLine } from './put-guards.ts'

const PROCESSES = 8
const GUARDS = 200
/** Long enough for all of them to start and open, also on two cores. */
const START_AFTER_MS = 3_000
const SCRIPT = fileURLToPath(new URL('put-guards.ts', import.meta.url))

const run = promisify(execFile)

const race = async (dataDir: string, startMs: number): Promise<readonly PutLine[]> => {
  const { stdout } = await run(process.execPath, [SCRIPT, 'race', dataDir, String(GUARDS), String(startMs)])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PutLine)
}

test('a look-up outside the write, or a memory of one process, would let two of eight redeem one guard', async () => {
  const dataDir = temporaryDirectory()
  const startMs = Date.now() + START_AFTER_MS
  const perProcess = await Promise.all(Array.from({ length: PROCESSES }, () => race(dataDir, startMs)))
  expect(perProcess.map((lines) => lines.length)).toEqual(Array.from({ length: PROCESSES }, () => GUARDS))

  const lines = perProcess.flat()
  expect(lines.filter(({ outcome }) => outcome !== 'created' && outcome !== 'exists')).toEqual([])
  const created = lines.filter(({ outcome }) => outcome === 'created')
  const winners = new Map(created.map(({ guard, decision }) => [guard, decision]))
  expect(created.length).toBe(GUARDS)
  expect(winners.size).toBe(GUARDS)
  for (const { guard, outcome, existing } of lines)
    if (outcome === 'exists') expect(existing, guard).toBe(winners.get(guard))
  // Else one process took them all and nothing was raced for.
  expect(perProcess.filter((own) => own.some(({ outcome }) => outcome === 'created')).length).toBeGreaterThan(1)

  const store = createGrantStore(open(dataDir))
  for (const [guard, decision] of winners)
    expect((await store.find('acme', guardOf(guard)))?.record.decisionId).toBe(decision)
})
