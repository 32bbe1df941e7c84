// Fills the broker's store with records, in bulk, before it starts: for scale.ts and repository.ts. Rows are the store's own, written
// in its schema through its own database; only the group commit is left out.
import { createHash, randomBytes } from 'node:crypto'
import { openDatabase } from '../lib/adapters/sqlite/database.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { createIds } from '../lib/adapters/system/ids.ts'

const ROWS_PER_COMMIT = 5_000
const INSERT =
  'INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body) VALUES (?, ?, ?, ?, ?, ?, ?)'

type Filling = { readonly tenant: string; readonly bodyOf: (decisionId: string) => string }

/** Inserts `count` redeemed grants into a development data directory, new or not. */
export const fillRecords = async (
  dataDir: string,
  count: number,
  { tenant, bodyOf }: Filling = { tenant: 'bench', bodyOf: fillerOf },
): Promise<boolean> => {
  const database = openDatabase({ dataDir, dev: true })
  const ids = createIds(systemClock)
  const now = systemClock.nowSeconds()
  for (let done = 0; done < count; done += ROWS_PER_COMMIT) {
    await database.write((sql) => {
      for (let row = done; row < Math.min(count, done + ROWS_PER_COMMIT); row += 1) {
        const decisionId = ids.decisionId()
        const guard = randomBytes(16)
        const decision = Buffer.from(decisionId.replaceAll('-', ''), 'hex')
        sql(INSERT).run(guard, decision, tenant, now, now + 300, now + 90_000, bodyOf(decisionId))
      }
    })
  }
  database.close()
  return true
}

/** As long as a real record is. */
const fillerOf = (decisionId: string): string =>
  JSON.stringify({ v: 1, decisionId, filler: createHash('sha512').update(decisionId).digest('hex').repeat(10) })
