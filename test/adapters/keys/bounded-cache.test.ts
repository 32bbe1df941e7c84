import { expect, test } from 'vitest'
import { BoundedCache } from '../../../lib/adapters/keys/bounded-cache.ts'

test('the cache never holds more than two generations', () => {
  const cache = new BoundedCache<number>(10)
  for (let n = 0; n < 1_000; n += 1) cache.set(`k${n}`, n)
  expect(cache.size).toBeLessThanOrEqual(20)
})

test('what is used stays, what is not is forgotten', () => {
  const cache = new BoundedCache<number>(10)
  cache.set('used', 1)
  cache.set('unused', 2)
  for (let n = 0; n < 100; n += 1) {
    cache.set(`k${n}`, n)
    expect(cache.get('used')).toBe(1)
  }
  expect(cache.get('unused')).toBeUndefined()
})

test('setting a known key again pushes nothing out, and a deleted one is gone', () => {
  const cache = new BoundedCache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.set('b', 3)
  expect([cache.get('a'), cache.get('b')]).toEqual([1, 3])
  cache.delete('a')
  expect(cache.get('a')).toBeUndefined()
})
