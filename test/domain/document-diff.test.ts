import { expect, test } from 'vitest'
import { documentDiff } from '../../lib/domain/document-diff.ts'

test('names what was added, removed and changed by its path', () => {
  const before = { tenant: 'acme', grants: { a: { ttl: 600, scope: ['x'] }, b: {} } }
  const after = { tenant: 'acme', grants: { a: { ttl: 900, scope: ['x', 'y'] }, c: { ttl: 60 } } }
  expect(documentDiff(before, after)).toEqual(
    ['~ grants.a.ttl: 600 -> 900', '+ grants.a.scope.1 = "y"', '- grants.b = {}', '+ grants.c.ttl = 60'].sort((x, y) =>
      x.slice(2) < y.slice(2) ? -1 : 1,
    ),
  )
})

test('equal documents have no difference, whatever the order of their members', () => {
  expect(documentDiff({ a: 1, b: [true, null] }, { b: [true, null], a: 1 })).toEqual([])
})
