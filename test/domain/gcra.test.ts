import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gcra } from '../../lib/domain/gcra.ts'

const run = (timesMs: readonly number[], perSecond: number, burst: number) => {
  let arrivalMs = 0
  return timesMs.map((nowMs) => {
    const verdict = gcra(arrivalMs, nowMs, perSecond, burst)
    arrivalMs = verdict.arrivalMs
    return verdict.allowed
  })
}

test('a whole burst passes at once, and not one more', () => {
  expect(run(Array(301).fill(1_000), 5, 300).filter(Boolean)).toHaveLength(300)
})

test('a 256-job matrix of one repository passes at once under the default limit of a workload', () => {
  expect(run(Array(256).fill(1_000), 5, 300).every(Boolean)).toBe(true)
})

test('a refusal costs nothing, and its wait is enough', () => {
  let arrivalMs = 0
  for (let i = 0; i < 10; i += 1) arrivalMs = gcra(arrivalMs, 0, 1, 10).arrivalMs
  const refused = gcra(arrivalMs, 0, 1, 10)
  expect(refused).toMatchObject({ allowed: false, arrivalMs })
  expect(gcra(arrivalMs, refused.retryAfterSeconds * 1000, 1, 10).allowed).toBe(true)
})

test('over any span no more than burst + rate x span passes', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (gapsMs, perSecond, burst) => {
      let nowMs = 0
      const times = gapsMs.map((gap) => (nowMs += gap))
      const allowed = run(times, perSecond, burst).filter(Boolean).length
      expect(allowed).toBeLessThanOrEqual(burst + (perSecond * (times.at(-1)! - times[0]!)) / 1000 + 1)
    }),
  )
})
