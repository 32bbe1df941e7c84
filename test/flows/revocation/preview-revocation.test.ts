// What a dry run shows: exactly the live credentials that the revocation would deny, by the facts mint itself goes by.
import { expect, test } from 'vitest'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { factsOfRecord, selectorsOf } from '../../../lib/domain/revocation.ts'
import { previewRevocation } from '../../../lib/flows/revocation/preview-revocation.ts'
import type { RecentRecords } from '../../../lib/ports/decisions.ts'
import type { StateQuery } from '../../../lib/ports/grant-store.ts'
import { NOW_SECONDS, sampleRecord } from '../../contract/sample-rows.ts'
import { memoryMint } from '../../security/memory-mint.ts'
import { issuerKey } from '../../support/evidence.ts'

test('a record can be revoked by what mint looked at when it wrote it: no kind is lost on the way', async () => {
  const asked: StateQuery[] = []
  const { mint, request, assertion, grants } = await memoryMint(issuerKey('RS256'), (ports) => ({
    ...ports,
    state: {
      peek: () => undefined,
      read: (query) => {
        asked.push(query)
        return ports.state.read(query)
      },
    },
  }))
  expect(await mint(request(assertion()))).toMatchObject({ ok: true })
  const [record] = await grants.records()
  expect(selectorsOf(factsOfRecord(record!))).toEqual(asked.at(-1)!.selectors)
  expect(asked.at(-1)!.selectors.length).toBeGreaterThan(9)
})

const record = (value: string, over: object = {}) => {
  const made = sampleRecord()
  return { ...made, wid: { ...made.wid, 'run.id': value }, credential: { ...made.credential, ...over } }
}
const recordsOf = (...rows: { record: ReturnType<typeof record>; notIssued?: boolean }[]): RecentRecords => ({
  async *since() {
    for (const { record: one, notIssued = false } of rows) yield { record: one, notIssued }
  },
})
const run = { tenant: 'acme', selectors: [{ kind: 'run', issuer: 'github', value: '1' }] } as const
const clock = { nowSeconds: () => NOW_SECONDS, nowMs: () => 0, monotonicMs: () => 0 }

test('only what is alive, was issued and is selected counts', async () => {
  const hit = record('1')
  const records = recordsOf(
    { record: hit },
    { record: record('1', { exp: NOW_SECONDS }) },
    { record: record('1'), notIssued: true },
    { record: record('2') },
    { record: { ...record('1'), evidence: { ...hit.evidence, issuerName: 'gitlab' } } },
  )
  expect(await previewRevocation({ records, clock }, run)).toEqual({
    credentials: 1,
    identities: 1,
    newest: [hit],
    onlyNewest: null,
  })
})

test('many are counted and the newest shown', async () => {
  const rows = Array.from({ length: 50 }, (_, at) => ({
    record: record('1', { sub: `spiffe://acme.example/${at % 3}` }),
  }))
  const preview = await previewRevocation({ records: recordsOf(...rows), clock }, run)
  expect([preview.credentials, preview.identities, preview.newest.length]).toEqual([50, 3, 20])
})

test('a million are not walked: it looks at the newest and says so, and says nothing of it where those are all', async () => {
  let given = 0
  const hit = record('1')
  const endless = (count: number): RecentRecords => ({
    async *since() {
      for (given = 0; given < count; given += 1) yield { record: hit, notIssued: false }
    },
  })
  const max = LIMITS.previewRecordsMax
  const many = await previewRevocation({ records: endless(10 * max), clock }, run)
  expect(many).toMatchObject({ credentials: max, onlyNewest: max })
  expect(given).toBe(max)
  expect(await previewRevocation({ records: endless(max), clock }, run)).toMatchObject({
    credentials: max,
    onlyNewest: null,
  })
})
