// Metrics on Lambda: the lines add up to what was answered, and no dimension is of a caller's making.
import { expect, test } from 'vitest'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import { createEmfMetrics } from '../../lib/edge/emf-metrics.ts'
import { type HttpEvent, jsonResponse } from '../../lib/edge/http.ts'

type Line = Record<string, unknown> & {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly [
      {
        readonly Namespace: string
        readonly Dimensions: readonly [readonly string[]]
        readonly Metrics: readonly [{ readonly Name: string }]
      },
    ]
  }
}

const setUp = () => {
  const lines: Line[] = []
  let nowMs = 1_000_000
  const metrics = createEmfMetrics({
    functionName: 'attest',
    log: { info: (_, fields) => lines.push(fields as Line) },
    nowMs: () => nowMs,
  })
  metrics.meter.knowTenants((tenant) => (tenant === 'acme' ? ({ issuers: [] } as unknown as TenantConfig) : null))
  const answer = (statusCode: number, tenant = 'acme') => {
    const event = { rawPath: `/t/${tenant}/token` } as HttpEvent
    return metrics.counted(async () => jsonResponse(statusCode, {}))(event)
  }
  return { lines, metrics, answer, later: (ms: number) => (nowMs += ms) }
}

/** Sum, or number of values, of a metric over all lines with these fields. */
const total = (lines: readonly Line[], name: string, fields: Record<string, string>): number =>
  lines
    .filter((line) => Object.entries(fields).every(([field, value]) => line[field] === value))
    .map((line) => line[name])
    .filter((value) => value !== undefined)
    .reduce((sum: number, value) => sum + (Array.isArray(value) ? value.length : Number(value)), 0)

test('nothing is written for each answer, and what is written adds up', async () => {
  const { lines, answer, later } = setUp()
  for (let at = 0; at < 250; at += 1) await answer(200)
  expect(lines.length).toBeLessThan(10)
  later(10_000)
  await answer(429)
  expect(total(lines, 'exchanges', { outcome: 'issued' })).toBe(250)
  expect(total(lines, 'exchanges', { outcome: 'limited' })).toBe(1)
  const durations = lines.flatMap((line) =>
    line['http_response_status_code'] === '200' ? [line['http.server.request.duration']].flat() : [],
  )
  expect(durations).toHaveLength(250)
})

test('an outage is written at once: an alarm must not wait for the next request', async () => {
  const { lines, answer } = setUp()
  await answer(503)
  expect(total(lines, 'exchanges', { outcome: 'unavailable' })).toBe(1)
})

test('no line has more values of a metric than CloudWatch takes', async () => {
  const { lines, answer, later } = setUp()
  await Promise.all(Array.from({ length: 230 }, () => answer(200)))
  later(10_000)
  await answer(200)
  for (const line of lines)
    for (const value of Object.values(line)) if (Array.isArray(value)) expect(value.length).toBeLessThanOrEqual(100)
})

test('every dimension a line names is a field of it, and none is a tenant or a name out of a path', async () => {
  const { lines, answer, later } = setUp()
  await answer(200)
  await answer(404, 'made-up')
  later(10_000)
  await answer(200)
  expect(lines.length).toBeGreaterThan(2)
  for (const line of lines) {
    const [{ Namespace, Dimensions, Metrics }] = line._aws.CloudWatchMetrics
    expect(Namespace).toBe('Mintmark')
    expect(line[Metrics[0].Name]).toBeDefined()
    for (const dimension of Dimensions[0]) expect(typeof line[dimension]).toBe('string')
    expect(Dimensions[0]).not.toContain('tenant')
  }
  expect(JSON.stringify(lines)).not.toMatch(/made-up|acme/)
})
