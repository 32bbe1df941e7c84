import { expect, test } from 'vitest'
import { createIds } from '../../../lib/adapters/system/ids.ts'
import { handClock } from '../../support/own-keys.ts'

test('decision ids are UUIDv7 (RFC 9562 §5.7) of the clock, in order and all different', () => {
  const clock = handClock()
  const ids = createIds(clock)
  const made = new Set<string>()
  let before = ''
  for (let count = 0; count < 1_000; count += 1) {
    const id = ids.decisionId()
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(clock.nowMs())
    expect(id > before).toBe(true)
    before = id
    made.add(id)
    clock.add(0.001)
  }
  expect(made.size).toBe(1_000)
})

test('a trace id is 32 hexadecimal characters, also past the block of random bytes, and never the same twice', () => {
  const ids = createIds(handClock())
  const seen = new Set(Array.from({ length: 2_000 }, () => ids.traceId()))
  expect(seen.size).toBe(2_000)
  for (const id of seen) expect(id).toMatch(/^[0-9a-f]{32}$/)
})
