import { expect, test } from 'vitest'
import { HandleCache } from '../../../lib/adapters/keys/handle-cache.ts'

test('a handle is found under all four names and under no three of them', () => {
  const cache = new HandleCache(10)
  cache.set('acme', 'project', 'github', '7', 'handle')
  expect(cache.get('acme', 'project', 'github', '7')).toBe('handle')
  expect(cache.get('globex', 'project', 'github', '7')).toBeUndefined()
  expect(cache.get('acme', 'actor', 'github', '7')).toBeUndefined()
  expect(cache.get('acme', 'project', 'gitlab', '7')).toBeUndefined()
  expect(cache.get('acme', 'project', 'github', '8')).toBeUndefined()
})

test('names never run together: what is joined differently is another handle', () => {
  const cache = new HandleCache(10)
  cache.set('acme', 'project', 'git', 'hub7', 'one')
  expect(cache.get('acme', 'project', 'github', '7')).toBeUndefined()
})

test('it never holds more than its bound, and keeps what was set last', () => {
  const cache = new HandleCache(10)
  for (let at = 0; at < 1_000; at += 1) cache.set(`t${at % 7}`, 'run', 'github', String(at), `h${at}`)
  expect(cache.size).toBeLessThanOrEqual(10)
  expect(cache.get(`t${999 % 7}`, 'run', 'github', '999')).toBe('h999')
})
