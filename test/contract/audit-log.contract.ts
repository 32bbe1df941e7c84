// The laws of a tenant's log (lib/ports/audit-log.ts), for any adapter. Run by audit-log.test.ts, and on DynamoDB by test/aws.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { AuditLog } from '../../lib/ports/audit-log.ts'
import { NOW_SECONDS, sampleDenial, sampleOrder, sampleRecord } from './sample-rows.ts'

export type LogHarness = {
  readonly log: AuditLog
  /** What is in a tenant's log, in order. Throws where numbers have a gap. */
  readonly entries: (tenant: string) => Promise<readonly AuditEntry[]>
  readonly close: () => Promise<void>
}

const grant = (): AuditEntry => ({ kind: 'grant', record: sampleRecord() })
const oneOfEach = (): AuditEntry[] => {
  const record = sampleRecord()
  const { decisionId, tenant } = record
  const order = sampleOrder()
  return [
    { kind: 'grant', record },
    { kind: 'not_issued', outcome: { decisionId, tenant, atSeconds: NOW_SECONDS, refusal: { kind: 'revoked' } } },
    { kind: 'denial', denial: sampleDenial({ wid: { 'project.path': 'acme/\uFFFFé\u0000' } }) },
    { kind: 'roll_up', rollUp: rollUp(3, 2) },
    {
      kind: 'revocation',
      applied: { v: 1, order, by: 'uid:1000', revocations: [randomUUID()], atSeconds: NOW_SECONDS },
    },
  ]
}
const rollUp = (count: number, listed: number) => ({
  id: randomUUID(),
  tenant: 'acme',
  minute: 1,
  kind: 'token_not_compact',
  source: '192.0.2.1',
  count,
  listed: Array.from({ length: listed }, () => randomUUID()),
  unlisted: count - listed,
})

export const describeAuditLog = (name: string, open: () => Promise<LogHarness>): void => {
  describe(`audit log: ${name}`, () => {
    let harness: LogHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    test('entries come back as they were, in the order given', async () => {
      const entries = oneOfEach()
      await harness.log.append('acme', entries)
      expect(await harness.entries('acme')).toEqual(entries)
    })

    test('what is brought again is passed over: alone, among new ones, and twice in one call', async () => {
      const [a, b, c] = [grant(), grant(), grant()]
      await harness.log.append('acme', [a, b])
      await harness.log.append('acme', [b])
      await harness.log.append('acme', [b, c, a, c])
      expect(await harness.entries('acme')).toEqual([a, b, c])
    })

    test('a record and its outcome have one id and are two entries, whichever comes first', async () => {
      const [record, outcome] = oneOfEach()
      await harness.log.append('acme', [outcome!])
      await harness.log.append('acme', [record!])
      expect(await harness.entries('acme')).toEqual([outcome, record])
    })

    test('L5: the logs of two tenants know nothing of one another, the same id included', async () => {
      const record = sampleRecord()
      const ours: AuditEntry = { kind: 'grant', record }
      const theirs: AuditEntry = { kind: 'grant', record: { ...record, tenant: 'globex' } }
      await harness.log.append('globex', [theirs])
      await harness.log.append('acme', [ours])
      expect([await harness.entries('acme'), await harness.entries('globex')]).toEqual([[ours], [theirs]])
    })

    test('more than one write can take is appended whole, in order', async () => {
      const entries = [
        ...Array.from({ length: 130 }, () => grant()),
        { kind: 'roll_up' as const, rollUp: rollUp(40, LIMITS.rollUpIdsPerMessageMax) },
        ...Array.from({ length: 60 }, () => grant()),
      ]
      await harness.log.append('acme', entries)
      expect(await harness.entries('acme')).toEqual(entries)
    })

    test('eight writers that bring overlapping entries at once: each entry once, and no gap', async () => {
      const all = Array.from({ length: 24 }, () => grant())
      const brought = Array.from({ length: 8 }, (_, at) => all.slice(at * 2, at * 2 + 10))
      const bringing = brought.map(async (some) => {
        // As the feed does it: what could not be told is brought again.
        for (let again = 0; ; again += 1) {
          try {
            return await harness.log.append('acme', some)
          } catch (error) {
            if (again === 5) throw error
          }
        }
      })
      await Promise.all(bringing)
      const entries = await harness.entries('acme')
      expect(entries).toHaveLength(24)
      expect(new Set(entries.map((entry) => JSON.stringify(entry))).size).toBe(24)
    })
  })
}
