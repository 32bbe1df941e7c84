// SIGKILL as soon as the last refusal is answered: each of them is in the store, in full or in a count (P7).

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { exchange, removeBroker, startBroker } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { githubTenant } from '../support/tenants.ts'

const sumIn = (dataDir: string): number => {
  const database = new DatabaseSync(join(dataDir, 'mintmark.db'), { readOnly: true })
  const numberOf = (sql: string) => Number(database.prepare(sql).get()!['n'])
  const sum =
    numberOf('SELECT count(*) AS n FROM denial') + numberOf('SELECT coalesce(sum(count), 0) AS n FROM denial_roll_up')
  database.close()
  return sum
}

// Fewer than are kept in full, and twice as many as that: a count waits longer for its turn.
test.each([1, LIMITS.denialsFullPerMinute * 3])('of %i refusals none is lost', async (count) => {
  const broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [issuerKey('RS256')] }) } })
  onTestFinished(() => removeBroker(broker))
  const acme = `${broker.url}/t/acme`
  const answers = await Promise.all(Array.from({ length: count }, () => exchange(acme, 'no.token.atall')))
  await broker.stop('SIGKILL')
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]))
  expect(sumIn(broker.dataDir)).toBe(count)
})
