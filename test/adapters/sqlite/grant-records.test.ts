// Records of a stretch of a log, read side by side: those that were asked for, and no others.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createGrantRecords } from '../../../lib/adapters/sqlite/decision-lookup.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { samplePut } from '../../contract/sample-rows.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const COUNT = 60

/** One record after the other, every third of another tenant. */
const stored = async () => {
  const database = open(temporaryDirectory())
  const grants = createGrantStore(database)
  const ids: string[] = []
  for (let at = 0; at < COUNT; at += 1) {
    const put = samplePut(`guard-${at}`, {}, { tenant: at % 3 === 2 ? 'globex' : 'acme' })
    ids.push(put.record.decisionId)
    await grants.put(put)
  }
  const ofAcme = ids.filter((_, at) => at % 3 !== 2)
  return { records: createGrantRecords(database), ids, ofAcme }
}

test('all of a stretch are there, wherever it has events that are of no grant', async () => {
  const { records, ofAcme } = await stored()
  const asked = [randomUUID(), ...ofAcme.slice(5, 20), randomUUID(), '', 'no id', ...ofAcme.slice(20, 30), randomUUID()]
  const found = await records.of('acme', asked)
  expect(new Set(found.keys())).toEqual(new Set(ofAcme.slice(5, 30)))
  for (const [id, { record }] of found) expect(record.decisionId).toBe(id)
})

test('a record between two that are asked for is not taken for asked, or one without a leaf would go unseen', async () => {
  const { records, ofAcme } = await stored()
  const asked = ofAcme.slice(3, 12).toSpliced(4, 1)
  expect([...(await records.of('acme', asked)).keys()]).toEqual(asked)
})

test('those of another tenant are not there, whether in between or asked for', async () => {
  const { records, ids, ofAcme } = await stored()
  expect([...(await records.of('acme', ids)).keys()]).toEqual(ofAcme)
  expect((await records.of('initech', ids)).size).toBe(0)
})

test('what lies far apart, in any order, is found as well', async () => {
  const { records, ofAcme } = await stored()
  const asked = [ofAcme.at(-1)!, ofAcme[0]!, ofAcme[17]!]
  expect(new Set((await records.of('acme', asked)).keys())).toEqual(new Set(asked))
  expect((await records.of('acme', [])).size).toBe(0)
})
