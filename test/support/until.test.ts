import { expect, test } from 'vitest'
import { until } from './until.ts'

test('looks until what is seen is so, and gives that back', async () => {
  const seen = [1, 2, 3]
  expect(
    await until(
      'three',
      async () => seen.shift()!,
      (one) => one === 3,
    ),
  ).toBe(3)
  expect(seen).toEqual([])
})

test('what never comes fails, and says what was waited for and what was seen last', async () => {
  let looks = 0
  const never = until(
    'a fourth',
    () => ({ looks: ++looks }),
    () => false,
    60,
  )
  await expect(never).rejects.toThrow(/^not within 0\.06 s: a fourth\. Last seen: \{ looks: \d+ \}$/)
  expect(looks).toBeGreaterThan(0)
})

test('a look that never ends is not waited for either', async () => {
  const hanging = until('an answer', () => new Promise<boolean>(() => undefined), Boolean, 20)
  await expect(hanging).rejects.toThrow('an answer. Last seen: nothing: the first look is not over')
})

test('what goes wrong while looking is said at once', async () => {
  await expect(until('anything', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
