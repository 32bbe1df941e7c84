// The laws of what is kept about sinks (lib/ports/sinks.ts), for any adapter.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { SinkErrand } from '../../lib/domain/sink.ts'
import type { AuditLog } from '../../lib/ports/audit-log.ts'
import type { Buried, SinkBoard, SinkCursors, SinkErrands } from '../../lib/ports/sinks.ts'
import { NOW_SECONDS, sampleDenial } from './sample-rows.ts'

const NOW_MS = NOW_SECONDS * 1000
const UNTIL_MS = NOW_MS + LIMITS.sinkLeaseMs
const SIEM = { tenant: 'acme', sink: 'siem' }
const OTHERS = [
  { tenant: 'acme', sink: 'siem-2' },
  { tenant: 'globex', sink: 'siem' },
]

export type SinksHarness = {
  /** Of two processes over one store. */
  readonly cursors: readonly [SinkCursors, SinkCursors]
  readonly errands: SinkErrands
  /** Over a log of the tenant `acme` with three leaves, the oldest of ten seconds before NOW_SECONDS. */
  readonly board: SinkBoard
  readonly close: () => Promise<void>
}

/** Fills the log that a board is read over. */
export const appendThree = (log: AuditLog): Promise<void> =>
  log.append(
    'acme',
    [10, 5, 0].map((ago) => ({
      kind: 'denial',
      denial: { ...sampleDenial(), tenant: 'acme', atSeconds: NOW_SECONDS - ago },
    })),
  )

const letter = (leaf: number | null, over: Partial<Buried> = {}): Buried => ({
  leaf,
  checkpoint: 0,
  canonical: `{"leaf":${leaf}}`,
  reason: 'refused',
  ...over,
})
const asked = (over: Partial<SinkErrand> = {}): SinkErrand => ({
  id: randomUUID(),
  ...SIEM,
  kind: 'test',
  outcome: null,
  ...over,
})

export const describeSinks = (name: string, open: () => Promise<SinksHarness>): void => {
  describe(`sinks: ${name}`, () => {
    let harness: SinksHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())
    const lease = (holder: string, nowMs = NOW_MS, by: 0 | 1 = 0, target = SIEM) =>
      harness.cursors[by].lease(target, holder, nowMs, nowMs + LIMITS.sinkLeaseMs)
    const advance = (holder: string, leaf: number, dead: readonly Buried[] = [], checkpoint = 0) =>
      harness.cursors[0].advance(SIEM, holder, { leaf, checkpoint }, dead, NOW_SECONDS)
    const letters = async (after = 0, limit = 100) =>
      (await harness.errands.deadLetters(SIEM, after, limit)).map(({ leaf, canonical }) => [leaf, canonical])

    test('a new sink wants leaf 0, and has no place before somebody leased it', async () => {
      expect(await harness.cursors[0].at(SIEM)).toBeNull()
      expect(await lease('one')).toEqual({ leaf: 0, checkpoint: 0 })
      expect(await harness.cursors[1].at(SIEM)).toEqual({ leaf: 0, checkpoint: 0 })
    })

    test('of two that lease at once one has it, and the other when the time is over', async () => {
      const both = await Promise.all([lease('one'), lease('two', NOW_MS, 1)])
      expect(both.filter((at) => at !== null)).toHaveLength(1)
      const [winner, loser] = both[0] === null ? ['two', 'one'] : ['one', 'two']
      expect(await lease(loser!, UNTIL_MS - 1)).toBeNull()
      expect(await lease(winner!, UNTIL_MS - 1)).not.toBeNull()
      expect(await lease(loser!, UNTIL_MS + LIMITS.sinkLeaseMs)).not.toBeNull()
      expect(await lease(winner!, UNTIL_MS + LIMITS.sinkLeaseMs)).toBeNull()
    })

    test('a lease of a clock that went back holds up nobody for longer than a lease', async () => {
      await lease('one', NOW_MS + 3_600_000)
      expect(await lease('two', NOW_MS)).not.toBeNull()
    })

    test('a holder that stops gives back all it has, and nothing of another', async () => {
      for (const target of OTHERS) await lease('one', NOW_MS, 0, target)
      await lease('two', NOW_MS, 1)
      await harness.cursors[0].release('one')
      for (const target of OTHERS) expect(await lease('three', NOW_MS, 1, target)).not.toBeNull()
      expect(await lease('three', NOW_MS, 1)).toBeNull()
    })

    test('the place moves on and never back, of this sink of this tenant alone', async () => {
      for (const target of [SIEM, ...OTHERS]) await lease('one', NOW_MS, 0, target)
      await advance('one', 7, [], 5)
      await advance('one', 3, [], 6)
      expect(await lease('one')).toEqual({ leaf: 7, checkpoint: 6 })
      for (const target of OTHERS) expect(await harness.cursors[0].at(target)).toEqual({ leaf: 0, checkpoint: 0 })
    })

    test('who has lost the lease moves nothing, buries nothing and says nothing', async () => {
      await lease('one')
      await lease('two', UNTIL_MS, 1)
      await advance('one', 7, [letter(3)])
      await harness.cursors[0].note(SIEM, 'one', 4, 'status_5xx')
      expect(await harness.cursors[0].at(SIEM)).toEqual({ leaf: 0, checkpoint: 0 })
      expect(await letters()).toEqual([])
      const [status] = await harness.board.status('acme', [{ name: 'siem', type: 'x' }], NOW_SECONDS)
      expect(status).toMatchObject({ failures: 0, trouble: null, deadLetters: {} })
    })

    test('dead letters are there when the place has moved past them: oldest first, a page at a time, as they were', async () => {
      await lease('one')
      await advance('one', 2, [letter(0), letter(1)])
      await advance('one', 9, [letter(2), letter(7), letter(null, { checkpoint: 8 }), letter(8)], 8)
      const all = await harness.errands.deadLetters(SIEM, 0, 100)
      expect(all.map(({ leaf }) => leaf)).toEqual([0, 1, 2, 7, null, 8])
      expect(all[1]).toEqual({ seq: all[1]!.seq, leaf: 1, canonical: '{"leaf":1}', reason: 'refused' })
      expect(await letters(all[1]!.seq, 3)).toEqual([2, 7, null].map((leaf) => [leaf, `{"leaf":${leaf}}`]))
      for (const target of OTHERS) expect(await harness.errands.deadLetters(target, 0, 10)).toEqual([])
    })

    test('more dead letters than one request takes are all there', async () => {
      await lease('one')
      const many = Array.from({ length: 130 }, (_, leaf) => letter(leaf))
      await advance('one', 130, many)
      expect((await letters(0, 1_000)).map(([leaf]) => leaf)).toEqual(many.map(({ leaf }) => leaf))
    })

    test('one that was taken after all is dropped, and no other', async () => {
      await lease('one')
      await advance('one', 3, [letter(0), letter(2)])
      const [first] = await harness.errands.deadLetters(SIEM, 0, 1)
      for (const target of OTHERS) await harness.errands.drop(target, first!.seq)
      await harness.errands.drop(SIEM, first!.seq)
      await harness.errands.drop(SIEM, first!.seq)
      expect((await letters()).map(([leaf]) => leaf)).toEqual([2])
    })

    test('an errand is open for its sink until it is done, and then says what became of it', async () => {
      const [first, second] = [asked(), asked({ kind: 'resend' })]
      await harness.errands.ask(second, NOW_SECONDS + 1)
      await harness.errands.ask(first, NOW_SECONDS)
      await harness.errands.ask(asked({ sink: 'siem-2' }), NOW_SECONDS)
      await harness.errands.ask(asked({ tenant: 'globex' }), NOW_SECONDS)
      expect(await harness.errands.open(SIEM, NOW_SECONDS)).toEqual([first, second])
      const done = { ...first, outcome: { delivered: 1, refused: 0, trouble: null } }
      await harness.errands.done(done)
      expect(await harness.errands.open(SIEM, NOW_SECONDS)).toEqual([second])
      expect(await harness.errands.find('acme', first.id)).toEqual(done)
      expect(await harness.errands.find('globex', first.id)).toBeNull()
    })

    test('what waited for a run that comes by the minute is open, and what was asked too long ago is only found', async () => {
      const [waiting, old] = [asked(), asked()]
      await harness.errands.ask(waiting, NOW_SECONDS - 70)
      await harness.errands.ask(old, NOW_SECONDS - LIMITS.sinkErrandSecondsMax - 1)
      expect(await harness.errands.open(SIEM, NOW_SECONDS - LIMITS.sinkErrandSecondsMax)).toEqual([waiting])
      expect(await harness.errands.find('acme', old.id)).toEqual(old)
    })

    test('an errand of days ago is forgotten, and is not made anew by its outcome', async () => {
      const old = asked()
      await harness.errands.ask(old, NOW_SECONDS - 3 * 24 * 3600)
      await harness.errands.ask(asked(), NOW_SECONDS)
      await harness.errands.open(SIEM, NOW_SECONDS - 60)
      await harness.errands.done({ ...old, outcome: { delivered: 1, refused: 0, trouble: null } })
      expect(await harness.errands.find('acme', old.id)).toBeNull()
    })

    test('the board says how far each is, what ails it, and what it could not take', async () => {
      const named = [
        { name: 'siem', type: 'webhook' },
        { name: 'new', type: 'jsonl' },
      ]
      const fresh = { deliveredAtSeconds: null, trouble: null, failures: 0, deadLetters: {} }
      const behind = { backlogLeaves: 3, lagSeconds: 10 }
      expect(await harness.board.status('acme', named, NOW_SECONDS)).toEqual([
        { ...named[0], ...behind, ...fresh },
        { ...named[1], ...behind, ...fresh },
      ])
      await lease('one')
      await harness.cursors[0].note(SIEM, 'one', 2, 'status_429')
      const [troubled] = await harness.board.status('acme', named, NOW_SECONDS)
      expect(troubled).toMatchObject({ ...behind, failures: 2, trouble: 'status_429', deliveredAtSeconds: null })
      await advance('one', 3, [letter(0), letter(1, { reason: 'too_large' }), letter(2)])
      const [well] = await harness.board.status('acme', named, NOW_SECONDS)
      expect(well).toEqual({
        ...named[0],
        backlogLeaves: 0,
        lagSeconds: 0,
        deliveredAtSeconds: NOW_SECONDS,
        trouble: null,
        failures: 0,
        deadLetters: { refused: 2, too_large: 1 },
      })
    })
  })
}
