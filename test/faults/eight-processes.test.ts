// One redemption, eight real processes on one data directory (P4): the file's unique index is all that judges between them.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { guardOf, type PutLine } from './put-guards.ts'

const PROCESSES = 8
const GUARDS = 200
const SCRIPT = fileURLToPath(new URL('put-guards.ts', import.meta.url))

type Racer = { readonly put: (guard: string) => Promise<PutLine>; readonly stop: () => void }

/** Resolves at the start line: the process is up and has the store open. */
const startRacer = async (dataDir: string): Promise<Racer> => {
  const child = spawn(process.execPath, [SCRIPT, 'race', dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error('a racing process ended early')
    return value
  }
  expect(await nextLine()).toBe('ready')
  return {
    async put(guard) {
      child.stdin.write(`${guard}\n`)
      return JSON.parse(await nextLine()) as PutLine
    },
    stop: () => child.stdin.end(),
  }
}

test('a look-up outside the write, or a memory of one process, would let two of eight redeem one guard', async () => {
  const dataDir = temporaryDirectory()
  const racers = await Promise.all(Array.from({ length: PROCESSES }, () => startRacer(dataDir)))
  const winners = new Map<string, string>()
  const haveWon = new Set<Racer>()
  // Guard by guard, and nobody runs ahead: all are let go together, once all have answered the one before, and another one
  // is told first each time. However the machine is loaded, no process can take the guards before the others are there.
  for (let round = 0; round < GUARDS; round += 1) {
    const guard = `shared-${round}`
    const inTurn = racers.map((_, at) => racers[(at + round) % PROCESSES]!)
    const lines = await Promise.all(inTurn.map(({ put }) => put(guard)))
    expect(lines.map(({ outcome }) => outcome).sort(), guard).toEqual([
      'created',
      ...Array(PROCESSES - 1).fill('exists'),
    ])
    const won = lines.findIndex(({ outcome }) => outcome === 'created')
    for (const { outcome, existing } of lines)
      if (outcome === 'exists') expect(existing, guard).toBe(lines[won]!.decision)
    winners.set(guard, lines[won]!.decision)
    haveWon.add(inTurn[won]!)
  }
  for (const { stop } of racers) stop()
  // Else one process took them all and nothing was raced for.
  expect(haveWon.size).toBeGreaterThan(1)

  const store = createGrantStore(open(dataDir))
  for (const [guard, decision] of winners)
    expect((await store.find('acme', guardOf(guard)))?.record.decisionId).toBe(decision)
})
