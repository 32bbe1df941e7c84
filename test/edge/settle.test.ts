// What must happen before an answer goes out where nothing runs on after it.
import { Logger } from '@aws-lambda-powertools/logger'
import { expect, test, vi } from 'vitest'
import { ALARMS } from '../../lib/domain/alarm.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpEvent } from '../../lib/edge/http.ts'
import { settleDenials } from '../../lib/edge/settle-denials.ts'

const event: HttpEvent = {
  rawPath: '/t/acme/token',
  headers: {},
  requestContext: { http: { method: 'POST', sourceIp: '192.0.2.1' } },
}
const answer = { statusCode: 400, headers: {}, body: 'no' }
const log = { error: () => undefined }

test('the answer waits until its denial is durable', async () => {
  let done: () => void = () => undefined
  const flushed = new Promise<void>((resolve) => {
    done = resolve
  })
  const handler = endpoint(
    'attest',
    async () => answer,
    log,
    settleDenials({ flush: () => flushed, waiting: () => 0 }, () => undefined),
  )
  let isAnswered = false
  const answered = handler(event).then((response) => {
    isAnswered = true
    return response
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isAnswered).toBe(false)
  done()
  expect(await answered).toBe(answer)
})

test('a refusal stays a refusal when its record could not be queued, and that is an alarm with the number that waits', async () => {
  const raised: unknown[] = []
  const denials = { flush: () => Promise.reject(new Unavailable('store_unavailable')), waiting: () => 3 }
  const settle = settleDenials(denials, (kind, fields) => void raised.push([kind, fields]))
  expect(await endpoint('attest', async () => answer, log, settle)(event)).toBe(answer)
  expect(raised).toEqual([['denials_not_sent', { waiting: 3 }]])
})

test('an alarm is one log line that CloudWatch counts: the metric is at the root of the line, where EMF looks for it', () => {
  const lines: string[] = []
  const written = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
  const previous = process.env['POWERTOOLS_DEV']
  process.env['POWERTOOLS_DEV'] = 'true'
  try {
    createAlarm('audit', new Logger({ serviceName: 'mintmark' }))('record_tampered', { tenant: 'acme' })
  } finally {
    written.mockRestore()
    if (previous === undefined) delete process.env['POWERTOOLS_DEV']
    else process.env['POWERTOOLS_DEV'] = previous
  }
  const line = JSON.parse(lines[0]!)
  expect(line).toMatchObject({
    message: ALARMS.record_tampered,
    alarm: 'record_tampered',
    tenant: 'acme',
    function: 'audit',
    record_tampered: 1,
    _aws: { CloudWatchMetrics: [{ Dimensions: [['function']], Metrics: [{ Name: 'record_tampered' }] }] },
  })
  expect(lines).toHaveLength(1)
})
