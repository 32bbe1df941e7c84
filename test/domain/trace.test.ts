import { expect, test } from 'vitest'
import { traceIdOf } from '../../lib/domain/trace.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'

test('a valid traceparent goes on as the same trace', () => {
  expect(traceIdOf(`00-${ID}-00f067aa0ba902b7-01`)).toBe(ID)
})

test('a traceparent of a later version goes on too, whatever it has behind what is known', () => {
  expect(traceIdOf(`01-${ID}-00f067aa0ba902b7-01`)).toBe(ID)
  expect(traceIdOf(`01-${ID}-00f067aa0ba902b7-01-what-will-be`)).toBe(ID)
})

test.each([
  undefined,
  '',
  `00-${ID}`,
  `ff-${ID}-00f067aa0ba902b7-01`,
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  `00-${ID}-${'0'.repeat(16)}-01`,
  `00-${ID}-00f067aa0ba902b7-01-more`,
  `01-${ID}-00f067aa0ba902b7-01more`,
  `00-${ID.toUpperCase()}-00f067aa0ba902b7-01`,
  `00-${ID}-00f067aa0ba902b7-01\n{"injected":1}`,
])('anything else starts a new trace: %s', (header) => {
  expect(traceIdOf(header)).toBeNull()
})
