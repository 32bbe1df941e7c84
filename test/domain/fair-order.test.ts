import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairOrder } from '../../lib/domain/fair-order.ts'

const drained = <T>(order: FairOrder<T>): T[] => {
  const all: T[] = []
  for (let item = order.next(); item !== undefined; item = order.next()) all.push(item)
  return all
}

test('a tenant that sent a thousand before lets its neighbour be second', () => {
  const order = new FairOrder<string>()
  for (let at = 0; at < 1_000; at += 1) order.add('loud', `source-${at % 50}`, `loud-${at}`)
  order.add('quiet', 'a', 'quiet-0')
  expect(order.next()).toBe('loud-0')
  expect(order.next()).toBe('quiet-0')
})

test('within a tenant a source that sent a thousand lets another be second', () => {
  const order = new FairOrder<string>()
  for (let at = 0; at < 1_000; at += 1) order.add('acme', 'loud', `loud-${at}`)
  order.add('acme', 'quiet', 'quiet-0')
  expect([order.next(), order.next(), order.next()]).toEqual(['loud-0', 'quiet-0', 'loud-1'])
})

test('what is spared is the oldest of the source with most waiting, of the named tenant only', () => {
  const order = new FairOrder<string>()
  order.add('acme', 'one', 'a-1')
  for (let at = 0; at < 3; at += 1) order.add('acme', 'many', `m-${at}`)
  for (let at = 0; at < 9; at += 1) order.add('other', 'x', `o-${at}`)
  expect([order.shed('acme'), order.shed(), order.shed('nobody')]).toEqual(['m-0', 'o-0', undefined])
})

test('nothing is lost, invented or overtaken by a younger one of its own source', () => {
  const event = fc.tuple(
    fc.constantFrom('add', 'add', 'next', 'shed'),
    fc.constantFrom('a', 'b'),
    fc.constantFrom('1', '2', '3'),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const order = new FairOrder<string>()
      const added: string[] = []
      const out: string[] = []
      for (const [what, tenant, source] of events) {
        if (what === 'add') {
          const item = `${tenant}${source} ${String(added.length).padStart(4, '0')}`
          added.push(item)
          order.add(tenant, source, item)
        } else {
          const item = what === 'next' ? order.next() : order.shed(tenant)
          if (item !== undefined) out.push(item)
        }
      }
      out.push(...drained(order))
      expect(out.toSorted()).toEqual(added.toSorted())
      for (const lane of new Set(added.map((item) => item.slice(0, 2)))) {
        const own = out.filter((item) => item.startsWith(lane))
        expect(own).toEqual(own.toSorted())
      }
    }),
  )
})
