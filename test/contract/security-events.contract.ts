// The laws of remembered security events (lib/ports/security-events.ts), for any adapter.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../lib/domain/recorded-event.ts'
import type { SecurityEvents } from '../../lib/ports/security-events.ts'
import { NOW_SECONDS } from './sample-rows.ts'

export type EventsHarness = {
  readonly events: Pick<SecurityEvents, 'find' | 'put'>
  readonly close: () => Promise<void>
}

const recorded = (over: Partial<RecordedEvent> = {}): RecordedEvent => ({
  v: 1,
  id: randomUUID(),
  tenant: 'acme',
  source: 'idp',
  event: 'session-revoked',
  outcome: 'ordered',
  contentHash: 'hash',
  atSeconds: NOW_SECONDS,
  ...over,
})

export const describeSecurityEvents = (name: string, open: () => Promise<EventsHarness>): void => {
  describe(`security events: ${name}`, () => {
    let harness: EventsHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    test('an event is found as it was put, within its tenant only', async () => {
      const event = recorded()
      expect(await harness.events.find('acme', event.id)).toBeNull()
      await harness.events.put(event)
      expect(await harness.events.find('acme', event.id)).toEqual(event)
      expect(await harness.events.find('globex', event.id)).toBeNull()
    })

    test('the first of an id stands, but one that could not be carried out makes room', async () => {
      const first = recorded({ outcome: 'unselectable' })
      await harness.events.put(first)
      const second = { ...first, outcome: 'ordered' as const }
      await harness.events.put(second)
      await harness.events.put({ ...first, outcome: 'selects_nothing', contentHash: 'other' })
      expect(await harness.events.find('acme', first.id)).toEqual(second)
    })
  })
}
