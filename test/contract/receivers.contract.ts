// The laws of receivers (lib/ports/receivers.ts), for any adapter and the stores beside it. Each change here is of a value of its
// own: what an adapter says of one that changed again before it was told is its own affair.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { DuePushes, ReceiverQueue, ReceiverStates } from '../../lib/ports/receivers.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import { NOW_SECONDS, sampleConfig, sampleRevocation } from './sample-rows.ts'

type Receivers = ReceiverQueue & DuePushes & ReceiverStates

export type ReceiversHarness = {
  /** Two processes over one store. */
  readonly receivers: readonly [Receivers, Receivers]
  readonly revocations: RevocationStore
  readonly configs: TenantConfigStore
  readonly close: () => Promise<void>
}

type Type = 'webhook' | 'poll'
type Step = { readonly at: number; readonly problem: string | null } | 'change'

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant('change' as const),
  fc.record({ at: fc.nat(8), problem: fc.constantFrom(null, null, 'invalid_key', 'status') }),
)

const said = (seq: number, problem: string | null = null) => ({ seq, jti: `${seq}.x`, problem, status: 400, bytes: 3 })

export const describeReceivers = (name: string, open: () => Promise<ReceiversHarness>, numRuns: number): void => {
  describe(`receivers: ${name}`, () => {
    let harness: ReceiversHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    const apply = async (tenant: string, receivers: Readonly<Record<string, Type>>) => {
      const { configs } = harness
      const version = ((await configs.latest(tenant))?.version.version ?? 0) + 1
      const document = JSON.stringify({
        receivers: Object.fromEntries(Object.entries(receivers).map(([of, type]) => [of, { type }])),
      })
      await configs.put(sampleConfig({ tenant, version, digest: randomUUID(), document }))
    }
    const change = (value: string, tenant = 'acme') =>
      harness.revocations.put(sampleRevocation({ id: randomUUID(), tenant, value }))
    const key = { tenant: 'acme', name: 'r' }
    const pendingSeqs = async (max = 99) => (await harness.receivers[0].pending(key, max)).map(({ seq }) => seq)

    test('what is pending is what was not taken, in order, behind it what was refused, whoever answers what', async () => {
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          runs += 1
          const tenant = `t${runs}a`
          await apply(tenant, { r: 'poll' })
          const owed = new Map<number, string | null>()
          let seq = 0
          for (const [at, taken] of steps.entries()) {
            const mine = harness.receivers[at % 2]!
            if (taken === 'change') {
              await change(String(at), tenant)
              owed.set(++seq, null)
              continue
            }
            const picked = [...owed.keys()][taken.at]
            if (picked === undefined) continue
            await mine.answer({ tenant, name: 'r' }, [said(picked, taken.problem)], NOW_SECONDS)
            if (taken.problem === null) owed.delete(picked)
            else owed.set(picked, taken.problem)
          }
          const pending = await harness.receivers[0].pending({ tenant, name: 'r' }, 100)
          const isRefused = ([, problem]: readonly [number, string | null]) => problem === 'invalid_key'
          const expected = [...owed]
          const refused = expected.filter(isRefused)
          expect(pending.map((one) => [one.seq, one.problem])).toEqual([
            ...expected.filter((one) => !isRefused(one)),
            ...refused,
          ])
          const [state] = await harness.receivers[1].list(tenant)
          expect(state).toMatchObject({ pending: owed.size, refused: refused.length })
        }),
        { numRuns },
      )
    })

    test('a change says what it is: a block, a cut, or a block that was lifted, and of which revocation', async () => {
      await apply('acme', { r: 'poll' })
      const one = await change('1')
      const { id } = await harness.revocations.put(
        sampleRevocation({ tenant: 'acme', value: '2', form: 'cut', notBeforeSeconds: 50 }),
      )
      const lifted = { by: 'x', reason: 'x', atSeconds: NOW_SECONDS + 9 }
      await harness.revocations.lift({ tenant: 'acme', id: one.id, ...lifted })
      const pending = await harness.receivers[0].pending(key, 9)
      expect(pending.at(-1)).toMatchObject({ seq: 3, value: '1', revocation: one.id, isLifted: true })
      expect(pending.at(-1)).toMatchObject({ form: 'block', notBeforeSeconds: null, atSeconds: expect.any(Number) })
      const cut = { form: 'cut', notBeforeSeconds: 50, isLifted: false, revocation: id }
      expect(pending[1]).toMatchObject({ seq: 2, value: '2', ...cut })
      expect(await harness.receivers[1].changes('acme', [2, 7])).toMatchObject([{ seq: 2, ...cut }])
    })

    test('a receiver begins with the document that names it, keeps its place in the next, and begins anew after one without', async () => {
      await apply('acme', {})
      await change('before')
      await apply('acme', { r: 'webhook' })
      expect(await pendingSeqs()).toEqual([])
      await change('after')
      await apply('acme', { r: 'webhook', other: 'poll' })
      expect(await pendingSeqs()).toEqual([2])
      await harness.receivers[0].answer(key, [said(2, 'invalid_key')], NOW_SECONDS)
      await apply('acme', {})
      expect([await pendingSeqs(), await harness.receivers[0].list('acme')]).toEqual([[], []])
      await change('in between')
      await apply('acme', { r: 'webhook' })
      await change('again')
      expect(await pendingSeqs()).toEqual([4])
      expect(await harness.receivers[0].list('acme')).toMatchObject([{ pending: 1, refused: 0, attempts: 0 }])
    })

    test('a taken SET stays taken, whatever is said of it afterwards', async () => {
      await apply('acme', { r: 'poll' })
      for (const value of ['1', '2', '3']) await change(value)
      const [one, two] = harness.receivers
      await one.answer(key, [said(2)], NOW_SECONDS)
      await two.answer(key, [said(2, 'invalid_key')], NOW_SECONDS)
      await one.answer(key, [said(1), said(3)], NOW_SECONDS)
      await two.answer(key, [said(1, 'status')], NOW_SECONDS)
      expect(await pendingSeqs()).toEqual([])
    })

    test('answers of two processes at once are all kept', async () => {
      await apply('acme', { r: 'poll' })
      const count = 12
      for (let value = 1; value <= count; value += 1) await change(String(value))
      const [one, two] = harness.receivers
      const seqs = Array.from({ length: count - 1 }, (_, at) => at + 2)
      await Promise.all(seqs.map((seq) => (seq % 2 === 0 ? one : two).answer(key, [said(seq)], NOW_SECONDS)))
      expect(await pendingSeqs()).toEqual([1])
    })

    test('of more refused SETs than are tried at once each is tried again, the one tried longest ago first', async () => {
      await apply('acme', { r: 'poll' })
      for (const value of ['1', '2', '3', '4', '5']) await change(value)
      const tried: number[] = []
      for (let turn = 0; turn < 6; turn += 1)
        for (const seq of await pendingSeqs(2)) {
          tried.push(seq)
          await harness.receivers[0].answer(key, [said(seq, 'invalid_key')], NOW_SECONDS + tried.length)
        }
      expect(tried).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2])
    })

    test('a webhook is due while something is pending, when its wait is over, and at once for what is new beside a refusal', async () => {
      await apply('acme', { r: 'webhook', inner: 'poll' })
      const [mine] = harness.receivers
      const now = 1_000_000
      const due = (at = now, tenant: string | null = 'acme') => mine.due('one', at, tenant)
      expect(await due()).toEqual([])
      await change('1')
      expect([await due(), await due(now, null), await due(now, 'globex')]).toEqual([[key], [key], []])
      await mine.answer(key, [said(1, 'status')], NOW_SECONDS, now + 500)
      expect([await due(), await due(now + 500)]).toEqual([[], [key]])
      // A wait that is longer than any is of a clock that went back.
      expect(await due(now - 3_600_000)).toEqual([key])
      await mine.answer(key, [said(1, 'invalid_key')], NOW_SECONDS, now + 500)
      expect(await due()).toEqual([])
      await change('2')
      expect(await due()).toEqual([key])
      expect(await mine.list('acme')).toContainEqual(
        expect.objectContaining({
          name: 'r',
          type: 'webhook',
          attempts: 2,
          oldestAtSeconds: expect.any(Number),
          last: { atSeconds: NOW_SECONDS, problem: 'invalid_key', status: 400, bytes: 3 },
        }),
      )
    })

    test('a lease is one process’s, until it is released or over, or of a clock that went back', async () => {
      await apply('acme', { r: 'webhook' })
      await change('1')
      const [one, two] = harness.receivers
      const now = 1_000_000
      expect(await one.lease(key, 'one', now)).toEqual({ attempts: 0 })
      expect([await two.lease(key, 'two', now), await two.due('two', now, null)]).toEqual([null, []])
      await two.release(key, 'two')
      expect(await two.lease(key, 'two', now + LIMITS.receiverLeaseMs - 1)).toBeNull()
      expect(await two.lease(key, 'two', now + LIMITS.receiverLeaseMs)).toEqual({ attempts: 0 })
      expect(await one.lease(key, 'one', now - 3_600_000)).toEqual({ attempts: 0 })
      await one.release(key, 'one')
      expect(await two.due('two', now, null)).toEqual([key])
    })

    test('of two that want the lease at once one has it', async () => {
      await apply('acme', { r: 'webhook' })
      const [one, two] = harness.receivers
      const leases = await Promise.all([one.lease(key, 'one', 1_000), two.lease(key, 'two', 1_000)])
      expect(leases.filter((lease) => lease !== null)).toHaveLength(1)
    })

    test('a removed tenant owes nothing to anybody, and nobody is stuck for it', async () => {
      for (const tenant of ['acme', 'globex']) {
        await apply(tenant, { r: 'webhook' })
        await change('1', tenant)
      }
      const [mine] = harness.receivers
      await mine.answer(key, [said(1, 'invalid_key')], NOW_SECONDS)
      await harness.configs.tombstone('acme', NOW_SECONDS, 'uid:1')
      expect(await mine.list(null)).toMatchObject([{ tenant: 'globex', pending: 1 }])
      expect(await mine.due('one', 1_000, null)).toEqual([{ tenant: 'globex', name: 'r' }])
    })
  })
}
