// Spans of what is done later, by what has only the record: those of a grant that came about, and no other.
import { expect, test } from 'vitest'
import { later, TAKEN } from '../../lib/domain/sink.ts'
import { tracedAppend, tracedSink } from '../../lib/flows/traced-ports.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** What follows is kept as the arguments it was told with; the clock is 10 ms later at each look. */
const setUp = () => {
  const followed: unknown[] = []
  let nowMs = 0
  return {
    followed,
    tracing: { follow: (...told: unknown[]) => void followed.push(told) } as unknown as Tracing,
    clock: { nowMs: () => (nowMs += 10) },
  }
}

test('records that are appended have a span in their own trace, and entries without a record none', async () => {
  const { followed, tracing, clock } = setUp()
  const record = { traceId: TRACE, decisionId: 'one' }
  const append = tracedAppend(tracing, clock, async () => undefined)
  await append('acme', [{ kind: 'revocation' }, { kind: 'grant', record }])
  expect(followed).toEqual([['feed', record, { fromMs: 10, toMs: 20 }, { 'mintmark.tenant': 'acme' }]])
})

test('what could not be appended fails as it did, and has no span', async () => {
  const { followed, tracing, clock } = setUp()
  const away = new Error('away')
  const append = tracedAppend(tracing, clock, () => Promise.reject(away))
  await expect(append('acme', [{ kind: 'grant', record: { traceId: TRACE, decisionId: 'one' } }])).rejects.toBe(away)
  expect(followed).toEqual([])
})

const event = (uid: string, over: Record<string, unknown> = {}, correlation: unknown = TRACE) =>
  JSON.stringify({ status_code: 'granted', metadata: { uid, correlation_uid: correlation }, ...over })

test('of what a sink took, grants with a trace have a span, and denials, checkpoints and events without one none', async () => {
  const { followed, tracing, clock } = setUp()
  const sink = tracedSink(tracing, clock, 'siem', { deliver: async () => TAKEN })
  const texts = [event('one'), event('two', { status_code: 'target_unknown' }), event('three', {}, null)]
  expect(await sink.deliver(texts)).toBe(TAKEN)
  expect(followed).toEqual([
    ['sink', { traceId: TRACE, decisionId: 'one' }, { fromMs: 10, toMs: 20 }, { 'mintmark.sink': 'siem' }],
  ])
})

test('what a sink did not take has no span: it is brought again, and would have two', async () => {
  const { followed, tracing, clock } = setUp()
  const answer = later('connect_failed')
  const sink = tracedSink(tracing, clock, 'siem', { deliver: async () => answer })
  expect(await sink.deliver([event('one')])).toBe(answer)
  expect(followed).toEqual([])
})
