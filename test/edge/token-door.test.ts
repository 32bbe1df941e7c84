// The door, with the rates, pauses and denials it is wired to. Time stands still where it is not moved.
import { expect, test } from 'vitest'
import { createMemoryDenials } from '../../lib/adapters/memory/denials.ts'
import { createMemoryGrantStore } from '../../lib/adapters/memory/grant-store.ts'
import { createPauses } from '../../lib/adapters/memory/pauses.ts'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RefusalKind } from '../../lib/domain/refusal.ts'
import { createExchangeMeter } from '../../lib/edge/exchange-meter.ts'
import type { HttpHead } from '../../lib/edge/http.ts'
import { tokenDoor } from '../../lib/edge/token-door.ts'
import { tokenEndpoint } from '../../lib/edge/token-endpoint.ts'
import { admitAtDoor, isHasty } from '../../lib/flows/admit-source.ts'
import { refuseUnread } from '../../lib/flows/exchange-token.ts'

const head = (tenant: string, sourceIp: string): HttpHead => ({
  rawPath: `/t/${tenant}/token`,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  requestContext: { http: { method: 'POST', sourceIp } },
})

const wired = () => {
  const time = { nowMs: 1_000 }
  const clock = { monotonicMs: () => time.nowMs, nowMs: () => time.nowMs, nowSeconds: () => 1 }
  const rates = createMemoryRateLimiter(clock)
  const pauses = createPauses(clock)
  const denials = createMemoryDenials(createMemoryGrantStore())
  const ids = createIds(clock)
  const door = tokenDoor({
    admitSource: admitAtDoor(rates),
    isAbsent: (tenant) => tenant === 'nobody',
    isTenant: (tenant) => ['acme', 'loud', 'quiet'].includes(tenant),
    pausedFor: pauses.secondsLeft,
    refuseUnread: (request, kind, seconds) => refuseUnread({ denials, ids, clock }, request, kind, seconds),
    newTraceId: ids.traceId,
  })
  /** As often as makes a source hasty. */
  const refuseOften = async (kind: RefusalKind, tenant: string, sourceIp: string): Promise<void> => {
    const answer = { kind: 'refused', decisionId: 'd', refusal: { kind }, grantType: 'token-exchange' } as const
    const endpoint = tokenEndpoint({
      exchange: async () => ({ ...answer, retryAfterSeconds: 1 }),
      isHasty: isHasty(rates),
      pause: pauses.pause,
      baseUrl: 'https://sts.example.com',
      newTraceId: ids.traceId,
    })
    for (let at = 0; at <= LIMITS.promptRefusalRate[1]; at += 1) await endpoint(head(tenant, sourceIp))
  }
  return { time, door, denials, refuseOften }
}

test('a source over its rate is told to wait, at once, with a decision; its neighbour goes on', () => {
  const { door, denials } = wired()
  for (let at = 0; at < LIMITS.sourceRate[1]; at += 1) expect(door(head('acme', '192.0.2.7'))).toBeNull()
  const refused = door(head('acme', '192.0.2.7'))
  expect([refused?.statusCode, refused?.isHeld]).toEqual([429, undefined])
  expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0)
  const { decision_id: decisionId } = JSON.parse(refused!.body) as Record<string, unknown>
  expect(denials.denials()).toMatchObject([
    { decisionId, tenant: 'acme', source: '192.0.2.7', verified: false, refusal: { kind: 'rate_limited_source' } },
  ])
  expect(door(head('acme', '192.0.2.8'))).toBeNull()
})

test('a tenant that is known to be none is 404 unread, and its source is charged for asking', () => {
  const { door, denials } = wired()
  for (let at = 0; at < LIMITS.sourceRate[1]; at += 1) expect(door(head('nobody', '192.0.2.7'))?.statusCode).toBe(404)
  expect(door(head('nobody', '192.0.2.7'))?.statusCode).toBe(429)
  // Whoever makes up names makes no records, with the first use of each neither.
  for (let at = 0; at < 3; at += 1) expect(door(head(`invented${at}`, '192.0.2.7'))?.statusCode).toBe(429)
  expect(denials.denials()).toEqual([])
})

test('a hasty source is not read for the tenant whose rate refused it: each refusal has a decision, which says nothing unverified', async () => {
  const { door, denials, refuseOften } = wired()
  await refuseOften('rate_limited_tenant', 'loud', '192.0.2.7')
  const answers = [door(head('loud', '192.0.2.7')), door(head('loud', '192.0.2.7'))]
  expect(answers.map((each) => [each?.statusCode, each?.isHeld])).toEqual([
    [429, true],
    [429, true],
  ])
  const decisions = answers.map((each) => (JSON.parse(each!.body) as Record<string, unknown>)['decision_id'])
  expect(denials.denials().map(({ decisionId }) => decisionId)).toEqual(decisions)
  expect(denials.denials()[0]).toMatchObject({
    tenant: 'loud',
    source: '192.0.2.7',
    verified: false,
    evidence: null,
    wid: null,
    target: null,
    refusal: { kind: 'rate_limited_tenant' },
  })
})

test('what is refused at the door is in the counts of its tenant, and of no other', async () => {
  const meter = createExchangeMeter()
  meter.knowTenants(() => null, ['loud', 'quiet'])
  const { door, refuseOften } = wired()
  const counted = meter.countRefusedAtDoor(door)
  await refuseOften('rate_limited_tenant', 'loud', '192.0.2.7')
  for (const tenant of ['loud', 'loud', 'quiet']) counted(head(tenant, '192.0.2.7'))
  const { tenants } = meter.counts()
  expect(tenants.get('loud')?.exchanges).toMatchObject({ limited: 2, issued: 0 })
  expect(tenants.get('quiet')?.exchanges).toMatchObject({ limited: 0 })
})

test('who shares an address with a paused tenant, and who shares the tenant, is read; and it is for so long only', async () => {
  const { time, door, refuseOften } = wired()
  await refuseOften('rate_limited_tenant', 'loud', '192.0.2.7')
  expect(door(head('quiet', '192.0.2.7'))).toBeNull()
  expect(door(head('loud', '192.0.2.8'))).toBeNull()
  expect(door(head('loud', '192.0.2.7'))).not.toBeNull()
  // What was refused unread in between did not make it longer, or anybody could keep a tenant out at an address of theirs.
  time.nowMs += LIMITS.pauseMs
  expect(door(head('loud', '192.0.2.7'))).toBeNull()
})

test.each(['rate_limited_subject', 'overloaded', 'rate_limited_issuer', 'signature_invalid', 'expired'] as const)(
  '%s says nothing of the tenant: it is read again, however often it comes',
  async (kind) => {
    const { door, refuseOften } = wired()
    for (let at = 0; at < 5; at += 1) await refuseOften(kind, 'loud', '192.0.2.7')
    expect(door(head('loud', '192.0.2.7'))).toBeNull()
  },
)
