// One process of the fault tests: puts grant records into a data directory, and prints a JSON line for each outcome only
// after the store acknowledged it. What is printed must be on the disk.
// Usage: put-guards.ts race DATA_DIR (prints "ready", then puts each guard named on a line of stdin)
//        put-guards.ts loop DATA_DIR PREFIX
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { samplePut } from '../contract/sample-rows.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

/** The answer to one put. `decision` is the id this process asked under, also where another's record exists. */
export type PutLine = {
  readonly guard: string
  readonly decision: string
  readonly outcome: 'created' | 'exists' | 'proof_replayed' | 'unavailable'
  /** The decision that holds the guard, where it is not ours. */
  readonly existing: string | null
}

/** Base64url SHA-256, as a redemption's guard is. */
export const guardOf = (name: string): string => createHash('sha256').update(name).digest('base64url')

const IN_FLIGHT = 8

/** Synchronous: a line handed to the kernel survives SIGKILL, one in a stream's buffer does not. */
const print = (line: PutLine): void => {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

const main = async (): Promise<void> => {
  const [mode, dataDir, ...rest] = process.argv.slice(2)
  if (dataDir === undefined) throw new TypeError('a data directory is wanted')
  const store = createGrantStore(openDatabase({ dataDir, dev: false, waitMs: COMES_WITHIN_MS }))
  const put = async (guard: string): Promise<void> => {
    const wanted = samplePut(guardOf(guard))
    const decision = wanted.record.decisionId
    try {
      const answer = await store.put(wanted)
      const existing = answer.outcome === 'exists' ? answer.existing.decisionId : null
      print({ guard, decision, outcome: answer.outcome, existing })
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      print({ guard, decision, outcome: 'unavailable', existing: null })
    }
  }
  if (mode === 'race') {
    writeSync(1, 'ready\n')
    for await (const guard of createInterface({ input: process.stdin })) await put(guard)
    return
  }
  const lane = async (at: number): Promise<never> => {
    for (let turn = 0; ; turn += 1) await put(`${rest[0]}-${at}-${turn}`)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, at) => lane(at)))
}

if (import.meta.main) await main()
