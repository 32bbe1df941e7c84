// The laws of the record store (lib/ports/grant-store.ts), for any adapter: run by grant-store.test.ts, and by test/aws on
// DynamoDB. L2 and L5 of the other rows are in tenant-stores.contract.ts; L5 below the application is IAM's (test/aws);
// L6 and L7 need faults of the engine: test/adapters/sqlite, test/faults, test/aws/dynamo-faults.test.ts.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NOW_SECONDS, sampleNotIssued, samplePut } from './sample-rows.ts'
import type { Stores } from './stores.ts'

export const describeGrantStore = (name: string, open: () => Stores | Promise<Stores>): void => {
  describe(`grant store: ${name}`, () => {
    let stores: Stores
    beforeEach(async () => {
      stores = await open()
    })
    afterEach(() => stores.close())

    test('L1: of 16 racing puts of one guard exactly one is created, and the others are shown its record', async () => {
      const puts = Array.from({ length: 16 }, () => samplePut('one-assertion'))
      const outcomes = await Promise.all(puts.map((put) => stores.grants.put(put)))
      const winner = puts[outcomes.findIndex(({ outcome }) => outcome === 'created')]!
      expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.outcome !== 'created')
          expect(outcome).toEqual({ outcome: 'exists', existing: winner.record, notIssued: false })
      }
    })

    test('L1: the same request delivered twice, with the same decision id, is created once', async () => {
      const put = samplePut('guard')
      const outcomes = await Promise.all([stores.grants.put(put), stores.grants.put({ ...put })])
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['created', 'exists'])
    })

    test('the guard is the whole identity: another signed exp, or a later put, does not pass a second time', async () => {
      const first = samplePut('guard')
      await stores.grants.put(first)
      const laterExp = { ...first.record.evidence, exp: NOW_SECONDS + 999 }
      const second = await stores.grants.put(
        samplePut('guard', { keepUntilSeconds: NOW_SECONDS + 90_000 }, { evidence: laterExp }),
      )
      expect(second.outcome).toBe('exists')
    })

    test('L3: every created record and every outcome is in the change feed, and nothing that was refused', async () => {
      const puts = Array.from({ length: 20 }, (_, at) => samplePut(`guard-${at % 15}`))
      const outcomes = await Promise.all(puts.map((put) => stores.grants.put(put)))
      const created = puts.filter((_, at) => outcomes[at]!.outcome === 'created')
      const notIssued = sampleNotIssued(created[0]!)
      await stores.grants.putNotIssued(notIssued)
      const fed = await stores.feed()
      const ids = (rows: readonly { readonly decisionId: string }[]) => rows.map(({ decisionId }) => decisionId).sort()
      expect(created).toHaveLength(15)
      expect(ids(fed.records)).toEqual(ids(created.map(({ record }) => record)))
      expect(fed.records).toContainEqual(created[0]!.record)
      expect(fed.outcomes).toEqual([notIssued.outcome])
    })

    test('L4: a marker whose time is over still stands: what is late is judged by the clock of who asks', async () => {
      const put = samplePut('guard', { keepUntilSeconds: 1 })
      await stores.grants.put(put)
      expect(await stores.grants.find('acme', 'guard')).toEqual({ record: put.record, notIssued: false })
      expect(await stores.grants.put(samplePut('guard'))).toMatchObject({ outcome: 'exists', existing: put.record })
    })

    test('L5: a guard of one tenant neither meets nor shows that of another', async () => {
      await stores.grants.put(samplePut('guard', {}, { tenant: 'acme' }))
      expect(await stores.grants.find('globex', 'guard')).toBeNull()
      expect(await stores.grants.put(samplePut('guard', {}, { tenant: 'globex' }))).toEqual({ outcome: 'created' })
    })

    test('a record comes back as it was put', async () => {
      const put = samplePut('guard')
      await stores.grants.put(put)
      expect(await stores.grants.find('acme', 'guard')).toEqual({ record: put.record, notIssued: false })
      expect(await stores.grants.find('acme', 'other')).toBeNull()
    })

    test('an outcome is idempotent, the first one stands, and both reads show it', async () => {
      const put = samplePut('guard')
      await stores.grants.put(put)
      await stores.grants.putNotIssued(sampleNotIssued(put))
      await stores.grants.putNotIssued(sampleNotIssued(put, 'signing_key_unavailable'))
      expect(await stores.grants.find('acme', 'guard')).toMatchObject({ notIssued: true })
      expect(await stores.grants.put(samplePut('guard'))).toMatchObject({ outcome: 'exists', notIssued: true })
      expect((await stores.feed()).outcomes).toEqual([sampleNotIssued(put).outcome])
    })

    test('a DPoP proof is spent by the redemption it came with, and only once', async () => {
      const proofGuard = { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 120 }
      expect(await stores.grants.put(samplePut('a', { proofGuard }))).toEqual({ outcome: 'created' })
      expect(await stores.grants.put(samplePut('b', { proofGuard }))).toEqual({ outcome: 'proof_replayed' })
      expect(await stores.grants.find('acme', 'b')).toBeNull()
      expect(await stores.grants.put(samplePut('b'))).toEqual({ outcome: 'created' })
    })

    test('L5: a proof of one tenant is not spent in another', async () => {
      const proofGuard = { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 120 }
      await stores.grants.put(samplePut('a', { proofGuard }))
      expect(await stores.grants.put(samplePut('a', { proofGuard }, { tenant: 'globex' }))).toEqual({
        outcome: 'created',
      })
    })

    test('a put that finds its evidence spent does not spend the proof it carries', async () => {
      await stores.grants.put(samplePut('a'))
      const proofGuard = { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 120 }
      expect(await stores.grants.put(samplePut('a', { proofGuard }))).toMatchObject({ outcome: 'exists' })
      expect(await stores.grants.put(samplePut('b', { proofGuard }))).toEqual({ outcome: 'created' })
    })

    test('16 racing puts with one proof: one redemption', async () => {
      const proofGuard = { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 120 }
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, () => stores.grants.put(samplePut(randomUUID(), { proofGuard }))),
      )
      expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === 'proof_replayed')).toHaveLength(15)
    })
  })
}
