import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  activeKeyOf,
  dueMoves,
  type KeyMove,
  type KeySlot,
  neededSlots,
  publishedKeys,
  ROTATION_POLICY,
  slotsInUse,
  successorOf,
} from '../../lib/domain/key-rotation.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { KeyState, SigningKey } from '../../lib/domain/signing-key.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'

const ES: KeySlot = { use: 'token', alg: 'ES256' }
const RS: KeySlot = { use: 'token', alg: 'RS256' }
const T0 = 1_800_000_000
const DELAY = ROTATION_POLICY.publicationDelaySeconds
const DAY = ROTATION_POLICY.rotationSeconds
const RETIRE = ROTATION_POLICY.retireSeconds

const row = (kid: string, state: KeyState, over: Partial<SigningKey> = {}): SigningKey => ({
  tenant: 'acme',
  kid,
  alg: 'ES256',
  use: 'token',
  state,
  publicJwk: {},
  sealed: new Uint8Array(),
  createdAtSeconds: T0,
  provenAtSeconds: T0,
  activatedAtSeconds: state === 'prepared' ? null : T0,
  endedAtSeconds: state === 'retiring' || state === 'retired' || state === 'tainted' ? T0 : null,
  ...over,
})

const named = (move: KeyMove): string =>
  move.kind === 'generate' ? `generate ${move.slot.alg}` : `${move.kind} ${move.key.kid}`
const due = (
  rows: readonly SigningKey[],
  nowSeconds: number,
  over: { needed?: readonly KeySlot[]; forced?: readonly KeySlot[] } = {},
) =>
  dueMoves({ rows, needed: over.needed ?? [ES], forced: over.forced ?? [], nowSeconds, policy: ROTATION_POLICY }).map(
    named,
  )

const active = row('a', 'active')
const next = (over: Partial<SigningKey> = {}) =>
  row('b', 'prepared', { createdAtSeconds: T0 + 100, provenAtSeconds: T0 + 100, ...over })

test.each<[string, readonly SigningKey[], number, string[]]>([
  ['a tenant without keys gets one', [], T0, ['generate ES256']],
  [
    'an unproven key never signs: it is proven first',
    [row('a', 'prepared', { provenAtSeconds: null })],
    T0,
    ['prove a'],
  ],
  ['a first key signs at once', [row('a', 'prepared')], T0, ['activate a']],
  ['a young active key is left alone', [active], T0 + 60, []],
  ['one second too young for a successor', [active], T0 + DAY - DELAY - 1, []],
  [
    'a successor is prepared in time to be published for the whole delay',
    [active],
    T0 + DAY - DELAY,
    ['generate ES256'],
  ],
  [
    'a successor is proven before its delay starts to run',
    [active, next({ provenAtSeconds: null })],
    T0 + DAY,
    ['prove b'],
  ],
  ['a successor does not sign one second before the delay is over', [active, next()], T0 + 100 + DELAY - 1, []],
  [
    'a successor signs after the delay, and only then the old key retires',
    [active, next()],
    T0 + 100 + DELAY,
    ['activate b', 'retire a'],
  ],
  [
    'the delay runs from publication, not from creation',
    [active, next({ provenAtSeconds: T0 + 500 })],
    T0 + 100 + DELAY,
    [],
  ],
  [
    'a crash between activate and retire: the older of two retires',
    [active, row('b', 'active', { activatedAtSeconds: T0 + DAY })],
    T0 + DAY,
    ['retire a'],
  ],
  ['a retiring key stays one second short of the retirement', [active, row('z', 'retiring')], T0 + RETIRE - 1, []],
  ['a retiring key is withdrawn after it', [active, row('z', 'retiring')], T0 + RETIRE, ['withdraw z']],
  ['a tainted key needs a successor at once', [row('a', 'tainted')], T0 + 1, ['generate ES256']],
  ['the successor of a tainted key skips the delay', [row('a', 'tainted'), next()], T0 + 101, ['activate b']],
  [
    'of several successors of a tainted key the one published longest signs',
    [row('a', 'tainted'), next(), row('c', 'prepared', { provenAtSeconds: T0 + 1 })],
    T0 + 101,
    ['activate c'],
  ],
  ['a clock that went back moves nothing', [active, next()], T0 - 5_000, []],
  [
    'a key left over from a race of rotators waits until the active one is old',
    [active, row('b', 'prepared', { createdAtSeconds: T0 - 1, provenAtSeconds: T0 - 1 })],
    T0 + DAY - 1,
    [],
  ],
  [
    'and then signs',
    [active, row('b', 'prepared', { createdAtSeconds: T0 - 1, provenAtSeconds: T0 - 1 })],
    T0 + DAY,
    ['activate b', 'retire a'],
  ],
  [
    'an active key that was never proven does not count: it is not in the key set',
    [row('a', 'active', { provenAtSeconds: null })],
    T0,
    ['generate ES256'],
  ],
])('%s', (_, rows, nowSeconds, moves) => {
  expect(due(rows, nowSeconds)).toEqual(moves)
})

test('a forced rotation prepares at once and still waits out the delay', () => {
  expect(due([active], T0 + 5, { forced: [ES] })).toEqual(['generate ES256'])
  expect(due([active, next()], T0 + 105, { forced: [ES] })).toEqual([])
})

test('algorithms rotate apart: a key of one never stands in for the other', () => {
  expect(due([active], T0 + 1, { needed: [ES, RS] })).toEqual(['generate RS256'])
  expect(due([row('a', 'active', { use: 'log' })], T0 + 1)).toEqual(['generate ES256'])
})

test('an algorithm nobody needs any more gets no successor and retires when it is due', () => {
  const rs = row('r', 'active', { alg: 'RS256' })
  expect(due([active, rs], T0 + DAY - DELAY)).toEqual(['generate ES256'])
  expect(due([row('a', 'active', { activatedAtSeconds: T0 + DAY }), rs], T0 + DAY)).toEqual(['retire r'])
})

test('published are proven keys of that use that may be needed to verify', () => {
  const rows = [
    active,
    next(),
    row('c', 'retiring'),
    row('d', 'retired'),
    row('e', 'tainted'),
    row('f', 'prepared', { provenAtSeconds: null }),
    row('g', 'active', { use: 'signal' }),
  ]
  expect(publishedKeys(rows, 'token').map(({ kid }) => kid)).toEqual(['a', 'b', 'c'])
})

test('needed is what issue entries ask for, and ES256 always', () => {
  const config = (algs: readonly ('ES256' | 'RS256')[]) =>
    ({ grants: [{ issue: algs.map((alg) => ({ type: 'access_token', alg })) }] }) as unknown as TenantConfig
  expect(neededSlots(config([]))).toEqual([ES])
  expect(neededSlots(config(['RS256']))).toEqual([ES, RS])
  expect(slotsInUse([row('r', 'retired', { alg: 'RS256' })])).toEqual([ES])
  expect(slotsInUse([row('r', 'active', { alg: 'RS256' })])).toEqual([ES, RS])
})

test('the policy fits the promises: two cache ages before signing, a lifetime and a cache age after', () => {
  expect(DELAY).toBeGreaterThanOrEqual(2 * LIMITS.jwksMaxAgeSeconds)
  expect(RETIRE).toBeGreaterThanOrEqual(LIMITS.ttlSecondsMax + LIMITS.jwksMaxAgeSeconds)
})

// The model: one tenant, a rotator that may stop after any move, an operator who forces and taints, and a clock.
type Step = { readonly waitSeconds: number; readonly order: 'rotate' | 'force' | 'taint'; readonly crashAfter: number }

const step: fc.Arbitrary<Step> = fc.record({
  waitSeconds: fc.oneof(
    fc.integer({ min: 0, max: 1_000 }),
    fc.integer({ min: 0, max: 2 * DAY }),
    fc.constantFrom(1, DELAY - 1, DELAY, DAY - DELAY, RETIRE, DAY),
  ),
  order: fc.constantFrom('rotate', 'rotate', 'rotate', 'force', 'taint'),
  crashAfter: fc.oneof(fc.constant(99), fc.integer({ min: 0, max: 4 })),
})

const applyMove = (rows: readonly SigningKey[], move: KeyMove, nowSeconds: number, kid: string): SigningKey[] => {
  if (move.kind === 'generate')
    return [...rows, row(kid, 'prepared', { alg: move.slot.alg, createdAtSeconds: nowSeconds, provenAtSeconds: null })]
  const change: Partial<SigningKey> = {
    prove: { provenAtSeconds: nowSeconds },
    activate: { state: 'active' as const, activatedAtSeconds: nowSeconds },
    retire: { state: 'retiring' as const, endedAtSeconds: nowSeconds },
    withdraw: { state: 'retired' as const },
  }[move.kind]
  return rows.map((key) => (key.kid === move.key.kid ? { ...key, ...change } : key))
}

test('over any schedule, crash and taint: one key signs, it was published long enough, and stays while its tokens live', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      let rows: SigningKey[] = []
      let now = T0
      let made = 0
      const lastSigned = new Map<string, number>() // kid -> last moment at which it was the signing key
      const check = (isWhole: boolean) => {
        const signing = activeKeyOf(rows, ES)
        if (signing) lastSigned.set(signing.kid, now)
        const actives = rows.filter(({ state }) => state === 'active')
        // Between activate and retire there are two, of which one signs; after a whole run there is exactly one.
        expect(actives.length).toBeLessThanOrEqual(2)
        if (isWhole) expect(actives).toHaveLength(1)
        const served = new Set(publishedKeys(rows, 'token').map(({ kid }) => kid))
        if (signing) expect(served).toContain(signing.kid)
        for (const [kid, at] of lastSigned) {
          const isTainted = rows.find((key) => key.kid === kid)!.state === 'tainted'
          if (!isTainted && now - at < LIMITS.ttlSecondsMax + LIMITS.jwksMaxAgeSeconds) expect(served).toContain(kid)
        }
      }
      for (const { waitSeconds, order, crashAfter } of steps) {
        const before = activeKeyOf(rows, ES)
        if (before) lastSigned.set(before.kid, now + waitSeconds)
        now += waitSeconds
        if (order === 'taint' && before)
          rows = rows.map((key) => (key.kid === before.kid ? { ...key, state: 'tainted', endedAtSeconds: now } : key))
        const forced: KeySlot[] = order === 'force' && successorOf(rows, ES) === null ? [ES] : []
        let count = 0
        for (; count < crashAfter; count += 1) {
          const [move] = dueMoves({
            rows,
            needed: [ES],
            forced,
            nowSeconds: now,
            policy: ROTATION_POLICY,
          })
          if (!move) break
          if (move.kind === 'activate' && activeKeyOf(rows, ES) !== null) {
            // Not a first key and not after a taint: every verifier must have had the time to fetch it.
            expect(now - move.key.provenAtSeconds!).toBeGreaterThanOrEqual(DELAY)
          }
          if (move.kind === 'generate') {
            made += 1
            forced.length = 0
          }
          rows = applyMove(rows, move, now, `k${String(made).padStart(3, '0')}`)
          check(false)
          expect(count).toBeLessThan(20)
        }
        check(count < crashAfter)
      }
    }),
    { numRuns: 400 },
  )
})
