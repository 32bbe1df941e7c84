// Traces of the real broker at a collector that is not ours to choose: OTLP over HTTP, as the standard variables say.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

type Span = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status?: { readonly code?: number }
}
type Export = {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const key = issuerKey('RS256')
const spans: Span[] = []
let received = ''
/** Of requests to the sink. */
const traceparents: (string | undefined)[] = []
const siem = createServer((request, response) => {
  traceparents.push(request.headers['traceparent'] as string | undefined)
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
})
const collector = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    received += body
    for (const { scopeSpans } of (JSON.parse(body) as Export).resourceSpans)
      for (const scope of scopeSpans) spans.push(...scope.spans)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})
let broker: RunningBroker
let acme: string

beforeAll(async () => {
  for (const server of [collector, siem]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  const logs = `http://127.0.0.1:${(siem.address() as AddressInfo).port}/v1/logs`
  broker = await startBroker({
    tenants: {
      acme: `${githubTenant('acme', { keys: [key] })}\nsinks:\n  local: { type: jsonl, path: acme-audit.jsonl }\n  siem: { type: otlp-logs, url: "${logs}" }\n`,
    },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
  })
  acme = `${broker.url}/t/acme`
})
afterAll(async () => {
  await removeBroker(broker)
  collector.close()
  siem.close()
})

test("one exchange is one trace, the caller's: attest, mint, store, sign, and what audit did with its record", async () => {
  const assertion = signAssertion(key, githubClaims(acme))
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01` }
  const answer = await exchange(acme, assertion, { audience: TARGET }, headers)
  expect(answer.status).toBe(200)
  const named = (name: string) => spans.find((span) => span.name === name && span.traceId === TRACE)
  const below = (name: string) => named(name)?.parentSpanId
  const all = ['attest', 'mint', 'store', 'sign', 'feed', 'sink']
  await expect.poll(() => all.filter((name) => named(name) === undefined)).toEqual([])
  expect(below('attest')).toBe(CALLER)
  expect(below('mint')).toBe(named('attest')?.spanId)
  expect(below('store')).toBe(named('mint')?.spanId)
  expect(below('sign')).toBe(named('mint')?.spanId)
  expect(below('feed')).toBe(named('mint')?.spanId)
  expect(below('sink')).toBe(named('mint')?.spanId)
  expect(received).not.toContain(assertion)
  expect(received).not.toContain(String(answer.body['access_token']))
})

test('a trace that the broker begins has the id that the token and the record have', async () => {
  const before = spans.length
  const answer = await exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET })
  const claims = JSON.parse(
    Buffer.from(String(answer.body['access_token']).split('.')[1] ?? '', 'base64url').toString(),
  )
  const attest = () => spans.slice(before).find(({ name }) => name === 'attest')
  await expect.poll(() => attest()?.traceId).toBe(claims.txn)
})

test('a request to a sink goes with the trace of its delivery', async () => {
  await exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET })
  const sent = () =>
    spans.find(({ name, traceId, spanId }) => name === 'deliver' && traceparents.includes(`00-${traceId}-${spanId}-01`))
  await expect.poll(sent).toBeTruthy()
})
