// The laws of the record store (lib/ports/grant-store.ts), for any adapter. Run by grant-store.test.ts.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NOW_SECONDS, samplePut } from './sample-rows.ts'
import type { Stores } from './stores.ts'

export const describeGrantStore = (name: string, open: () => Stores): void => {
  describe(`grant store: ${name}`, () => {
    let stores: Stores
    beforeEach(() => {
      stores = open()
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

    test('the guard is the whole identity: another signed exp, or a later put, does not pass a second time', async () => {
      const first = samplePut('guard')
      await stores.grants.put(first)
      const laterExp = { ...first.record.evidence, exp: NOW_SECONDS + 999 }
      const second = await stores.grants.put(
        samplePut('guard', { keepUntilSeconds: NOW_SECONDS + 90_000 }, { evidence: laterExp }),
      )
      expect(second.outcome).toBe('exists')
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

    test('an outcome is idempotent by decision id, the first one stands, and both reads show it', async () => {
      const put = samplePut('guard')
      await stores.grants.put(put)
      const outcome = {
        decisionId: put.record.decisionId,
        tenant: 'acme',
        atSeconds: NOW_SECONDS,
        refusal: { kind: 'revoked' },
      } as const
      await stores.grants.putNotIssued(outcome)
      await stores.grants.putNotIssued({ ...outcome, refusal: { kind: 'signing_key_unavailable' } })
      expect(await stores.grants.find('acme', 'guard')).toMatchObject({ notIssued: true })
      expect(await stores.grants.put(samplePut('guard'))).toMatchObject({ outcome: 'exists', notIssued: true })
      expect(await stores.decisions.find(put.record.decisionId, 'acme')).toMatchObject({
        kind: 'allow',
        notIssued: outcome,
      })
    })

    test('a DPoP proof is spent by the redemption it came with, and only once', async () => {
      const proofGuard = { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 120 }
      expect(await stores.grants.put(samplePut('a', { proofGuard }))).toEqual({ outcome: 'created' })
      expect(await stores.grants.put(samplePut('b', { proofGuard }))).toEqual({ outcome: 'proof_replayed' })
      expect(await stores.grants.find('acme', 'b')).toBeNull()
      expect(await stores.grants.put(samplePut('b'))).toEqual({ outcome: 'created' })
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

    test('a decision is found by its id, within its tenant only', async () => {
      const put = samplePut('guard')
      await stores.grants.put(put)
      expect(await stores.decisions.find(put.record.decisionId, null)).toEqual({
        kind: 'allow',
        record: put.record,
        notIssued: null,
      })
      expect(await stores.decisions.find(put.record.decisionId, 'globex')).toBeNull()
      expect(await stores.decisions.find('not an id', null)).toBeNull()
    })
  })
}
