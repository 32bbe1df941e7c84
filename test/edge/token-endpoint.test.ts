import { expect, test } from 'vitest'
import { createTenantDirectory } from '../../lib/adapters/config/tenant-directory.ts'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RefusalKind } from '../../lib/domain/refusal.ts'
import type { HttpEvent } from '../../lib/edge/http.ts'
import { isThere, type TokenEndpointOptions, tokenEndpoint } from '../../lib/edge/token-endpoint.ts'
import { isHasty } from '../../lib/flows/admit-source.ts'

type Seen = Parameters<TokenEndpointOptions['exchange']>[0]

const FORM = 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c'
const event = (overrides: Partial<HttpEvent> = {}, method = 'POST'): HttpEvent => ({
  rawPath: '/t/acme/token',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  requestContext: { http: { method, sourceIp: '192.0.2.7' } },
  body: FORM,
  ...overrides,
})

const serve = async (
  request: HttpEvent,
  answer: Awaited<ReturnType<TokenEndpointOptions['exchange']>>,
  sourceLimit?: TokenEndpointOptions['sourceLimit'],
  hasty?: TokenEndpointOptions['isHasty'],
) => {
  const seen: Seen[] = []
  const handler = tokenEndpoint({
    exchange: async (exchanged) => {
      seen.push(exchanged)
      return answer
    },
    ...(sourceLimit === undefined ? {} : { sourceLimit }),
    ...(hasty === undefined ? {} : { isHasty: hasty }),
    baseUrl: 'https://sts.example.com',
    newTraceId: () => 'f'.repeat(32),
  })
  const response = await handler(request)
  return { response, body: JSON.parse(response.body) as Record<string, unknown>, seen }
}

const ISSUED = {
  kind: 'issued',
  decisionId: 'd-1',
  credential: {
    accessToken: 'h.p.s',
    issuedTokenType: 'urn:a-kind',
    tokenType: 'Bearer',
    expiresInSeconds: 600,
    scope: 'a b',
  },
} as const
const REFUSED = {
  kind: 'refused',
  decisionId: 'd-2',
  refusal: { kind: 'expired' },
  grantType: 'jwt-bearer',
  retryAfterSeconds: 2,
} as const

test('an issued credential has every member of RFC 8693 §2.2.1, and is not cacheable', async () => {
  const { response, body } = await serve(event(), ISSUED)
  expect(response.statusCode).toBe(200)
  expect(response.headers['cache-control']).toBe('no-store')
  expect(body).toEqual({
    access_token: 'h.p.s',
    issued_token_type: 'urn:a-kind',
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'a b',
    decision_id: 'd-1',
  })
})

test('a refusal is rendered by its grant type', async () => {
  expect((await serve(event(), REFUSED)).body).toMatchObject({ error: 'invalid_grant', decision_id: 'd-2' })
})

test('an outage says when to come back', async () => {
  const { response } = await serve(event(), {
    ...REFUSED,
    refusal: { kind: 'store_unavailable' },
    retryAfterSeconds: 4,
  })
  expect(response.statusCode).toBe(503)
  expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(4)
})

test('over its limit a source is refused before anything is parsed, with a decision where there is such a tenant', async () => {
  const overLimit = (isTenant: boolean) => ({
    admit: () => 3,
    isTenant: async () => isTenant,
    refuseUnread: (unread: object, kind: 'rate_limited_source' | 'rate_limited_tenant', retryAfterSeconds: number) => {
      expect(unread).toEqual({ tenant: 'acme', source: '192.0.2.7', traceId: 'e'.repeat(32) })
      return { ...REFUSED, refusal: { kind }, retryAfterSeconds }
    },
    newTraceId: () => 'e'.repeat(32),
  })
  const known = await serve(event({ body: 'x'.repeat(10) }), ISSUED, overLimit(true))
  expect([known.response.statusCode, known.seen.length]).toEqual([429, 0])
  expect(known.body).toMatchObject({ error: 'temporarily_unavailable', decision_id: 'd-2' })
  expect(Number(known.response.headers['retry-after'])).toBeGreaterThanOrEqual(3)
  const absent = await serve(event(), ISSUED, overLimit(false))
  expect([absent.response.statusCode, absent.seen.length, absent.body['decision_id']]).toEqual([429, 0, undefined])
})

test('whether there is such a tenant is looked up once, and not again while it is known', async () => {
  const looked: string[] = []
  const stored = { version: { tenant: 'acme', version: 1, digest: 'd', document: '{}' }, tombstonedAtSeconds: null }
  const isTenant = isThere(
    createTenantDirectory({
      configs: {
        async latest(tenant) {
          looked.push(tenant)
          return tenant === 'acme' ? (stored as never) : null
        },
      },
      validity: { mark: () => 1, holds: (mark) => mark === 1 },
      compile: ({ tenant }) => ({ tenant }) as never,
      onUnusable: () => expect.unreachable(),
    }),
  )
  const names = ['acme', 'nobody', 'acme', 'nobody', 'nobody']
  expect(await Promise.all([isTenant('acme'), isTenant('nobody')])).toEqual([true, false])
  const said = []
  for (const name of names) said.push(await isTenant(name))
  expect(said).toEqual([true, false, true, false, false])
  expect(looked).toEqual(['acme', 'nobody'])
})

test('the URL a DPoP proof is about comes from the base URL, never from a header', async () => {
  const { seen } = await serve(
    event({
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        dpop: 'p',
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
      },
    }),
    ISSUED,
  )
  expect(seen[0]!.dpop).toEqual({ proof: 'p', method: 'POST', url: 'https://sts.example.com/t/acme/token' })
})

test('a base64 body is read as bytes', async () => {
  const { seen } = await serve(event({ body: Buffer.from(FORM).toString('base64'), isBase64Encoded: true }), ISSUED)
  expect(seen[0]!.token).toMatchObject({ ok: true, value: { evidence: 'a.b.c' } })
})

test.each([
  ['application/x-www-form-urlencoded; charset=UTF-8', 200],
  ['APPLICATION/X-WWW-FORM-URLENCODED', 200],
  ['application/x-www-form-urlencoded; charset="utf-8"', 200],
  ['application/x-www-form-urlencoded; ;charset=utf-8;', 200],
  ['application/x-www-form-urlencoded; charset=utf-8"', 415],
  ['application/x-www-form-urlencoded; charset=utf-16', 415],
  ['application/x-www-form-urlencoded, text/plain', 415],
  ['application/json', 415],
  [undefined, 415],
])('content type %s -> %d', async (type, status) => {
  expect((await serve(event({ headers: { 'content-type': type } }), ISSUED)).response.statusCode).toBe(status)
})

test('a trace that came in goes on; otherwise a new one begins', async () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736'
  const traced = await serve(
    event({
      headers: { 'content-type': 'application/x-www-form-urlencoded', traceparent: `00-${id}-00f067aa0ba902b7-01` },
    }),
    ISSUED,
  )
  expect([traced.seen[0]!.traceId, (await serve(event(), ISSUED)).seen[0]!.traceId]).toEqual([id, 'f'.repeat(32)])
})

const refusedBy = (kind: RefusalKind) => ({
  ...REFUSED,
  refusal: { kind },
})
const stillLimits = () => createMemoryRateLimiter({ monotonicMs: () => 1_000, nowMs: () => 0, nowSeconds: () => 0 })

test.each(['rate_limited_tenant', 'rate_limited_subject', 'overloaded'] as const)(
  'refused by %s: the first are answered at once, who goes on is held, and only there',
  async (kind) => {
    const hasty = isHasty(stillLimits())
    const ask = async (tenant: string, sourceIp: string): Promise<boolean | undefined> => {
      const request = event({
        rawPath: `/t/${tenant}/token`,
        requestContext: { http: { method: 'POST', sourceIp } },
      })
      return (await serve(request, refusedBy(kind), undefined, hasty)).response.isHeld
    }
    for (let at = 0; at < LIMITS.promptRefusalRate[1]; at += 1) expect(await ask('loud', '192.0.2.7')).toBeUndefined()
    expect(await ask('loud', '192.0.2.7')).toBe(true)
    // One address of many tenants, and one tenant of many addresses: neither is known by the other.
    expect(await ask('acme', '192.0.2.7')).toBeUndefined()
    expect(await ask('loud', '192.0.2.8')).toBeUndefined()
  },
)

test('want of a turn, which nothing verified brings about, is no step towards holding what a verified rate refused', async () => {
  const hasty = isHasty(stillLimits())
  for (let at = 0; at < 50; at += 1) await serve(event(), refusedBy('overloaded'), undefined, hasty)
  expect((await serve(event(), refusedBy('rate_limited_tenant'), undefined, hasty)).response.isHeld).toBeUndefined()
})

test.each(['rate_limited_issuer', 'expired'] as const)(
  'refused by %s, before anything is verified: never held, and no step towards it, or a made-up name would slow a tenant',
  async (kind) => {
    const hasty = isHasty(stillLimits())
    for (let at = 0; at < 50; at += 1)
      expect((await serve(event(), refusedBy(kind), undefined, hasty)).response.isHeld).toBeUndefined()
    expect((await serve(event(), refusedBy('rate_limited_tenant'), undefined, hasty)).response.isHeld).toBeUndefined()
  },
)

test('what is issued is never held, however hasty the source', async () => {
  const { response } = await serve(event(), ISSUED, undefined, () => true)
  expect(response.isHeld).toBeUndefined()
})

test('a host that asks for no holding (Lambda, where time is paid for) is never told to hold', async () => {
  for (let at = 0; at < 10; at += 1)
    expect(Object.keys((await serve(event(), refusedBy('rate_limited_tenant'))).response)).not.toContain('isHeld')
})
