import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Handle, HandleTable } from '../../lib/verify/handle-table.ts'
import { readHandleList, readHandles } from '../../lib/verify/handles.ts'

// Few homes and few values: chains, gaps and wrap-arounds in every run.
const handle = fc
  .tuple(fc.constantFrom(0, 1, 2, 1023, 1022), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .map((words): Handle => words as Handle)
const step = fc.record({ handle, isAdded: fc.boolean(), seconds: fc.integer({ min: 1, max: 9 }) })

test('whatever is added and deleted in whatever order, it holds what a Map would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new HandleTable({ hasTimes: true })
      const model = new Map<string, { handle: Handle; seconds: number }>()
      for (const { handle: at, isAdded, seconds } of steps) {
        const name = at.join()
        if (isAdded) {
          table.add(at, seconds)
          model.set(name, { handle: at, seconds: Math.max(seconds, model.get(name)?.seconds ?? 0) })
        } else {
          table.delete(at)
          model.delete(name)
        }
        expect(table.has(at)).toBe(isAdded)
      }
      expect(table.size).toBe(model.size)
      for (const { handle: at, seconds } of model.values()) expect(table.timeOf(at)).toBe(seconds)
    }),
  )
})

test('a table that grows many times loses no handle and invents none', () => {
  const table = new HandleTable({ hasTimes: false })
  const of = (n: number): Handle => [Math.imul(n, 2_654_435_761) >>> 0, n, 7]
  for (let n = 0; n < 50_000; n += 1) table.add(of(n))
  expect(table.size).toBe(50_000)
  for (let n = 0; n < 50_000; n += 1) if (!table.has(of(n))) expect.fail(`lost ${n}`)
  for (let n = 50_000; n < 100_000; n += 1) if (table.has(of(n))) expect.fail(`invented ${n}`)
})

test('handles are 12 bytes each, in canonical base64url, or none of them is believed', () => {
  expect(readHandles('')).toEqual([])
  expect(readHandles('AAAAAQAAAAIAAAAD')).toEqual([[1, 2, 3]])
  expect(readHandles('AAAAAQAAAAIAAAADAAAAAQAAAAIAAAAE')).toEqual([
    [1, 2, 3],
    [1, 2, 4],
  ])
  for (const bad of ['AAAA', 'AAAAAQAAAAIAAAA=', 'AAAAAQAAAAIAAA+D', 'AAAAAQAAAAIAAAADA'])
    expect(readHandles(bad)).toBeNull()
  // Two texts that are handles only together are none.
  expect(readHandleList(['AAAAAQAA', 'AAIAAAAD'])).toBeNull()
})
