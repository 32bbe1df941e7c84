// The laws of denials and of looking a decision up (lib/ports/decisions.ts), for any adapter. Run by decisions.test.ts.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { sampleDenial, sampleNotIssued, samplePut } from './sample-rows.ts'
import type { DecisionStores } from './stores.ts'

export const describeDecisions = (name: string, open: () => DecisionStores): void => {
  describe(`decisions: ${name}`, () => {
    let stores: DecisionStores
    beforeEach(() => {
      stores = open()
    })
    afterEach(() => stores.close())

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

    test('an allow that gave no credential says why', async () => {
      const put = samplePut('guard')
      await stores.grants.put(put)
      const notIssued = sampleNotIssued(put)
      await stores.grants.putNotIssued(notIssued)
      expect(await stores.decisions.find(put.record.decisionId, 'acme')).toMatchObject({
        kind: 'allow',
        notIssued: notIssued.outcome,
      })
    })

    test('a flood of denials: the first in full, the rest counted exactly, and each decision answerable', async () => {
      const denials = Array.from({ length: 100 }, () => sampleDenial({ decisionId: randomUUID() }))
      for (const denial of denials) stores.denials.send(denial)
      await stores.settle()
      const found = await Promise.all(denials.map(({ decisionId }) => stores.decisions.find(decisionId, 'acme')))
      expect(found.filter((decision) => decision?.kind === 'deny')).toHaveLength(LIMITS.denialsFullPerMinute)
      const rolledUp = found.filter((decision) => decision?.kind === 'rolled_up')
      expect(rolledUp).toHaveLength(100 - LIMITS.denialsFullPerMinute)
      expect(rolledUp[0]).toMatchObject({
        rollUp: { tenant: 'acme', kind: 'token_not_compact', source: '192.0.2.1', count: 80 },
      })
      expect(await stores.decisions.find(denials[0]!.decisionId, 'globex')).toBeNull()
      expect(await stores.decisions.find(denials[99]!.decisionId, 'globex')).toBeNull()
    })
  })
}
