// Every kind of sink against a real server that misbehaves (attacks "SIEM down 6 h"): what it takes as delivered, what as refused,
// what it brings again. Nothing counts as delivered that the sink's own protocol did not say so of.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createGuardedHttp } from '../../../lib/adapters/http/guarded-http.ts'
import { createElasticsearchSink } from '../../../lib/adapters/sinks/elasticsearch.ts'
import { createOtlpLogsSink } from '../../../lib/adapters/sinks/otlp-logs.ts'
import { createSplunkHecSink } from '../../../lib/adapters/sinks/splunk-hec.ts'
import { createWebhookSink } from '../../../lib/adapters/sinks/webhook.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import type { OutboundHttp } from '../../../lib/ports/outbound-http.ts'
import type { MessageSigner, Sink } from '../../../lib/ports/sinks.ts'
import { signatureBase } from '../../../lib/wire/message-signature.ts'
import { isSignedFor } from '../../support/signed-request.ts'
import { json, type Received, type Reply, sampleEvents, startReceiver } from '../../support/sink-receiver.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const events = sampleEvents()
const http: OutboundHttp = createGuardedHttp({ dev: true, egressAllow: [], ports: 'any', query: true })
/** As guarded as ever, and less patient. */
const impatient: OutboundHttp = {
  get: (url, options) => http.get(url, { ...options, totalMs: 300 }),
  post: (url, body, options) => http.post(url, body, { ...options, totalMs: 300 }),
}
const secrets = { text: async () => 's3cret' }
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const signer: MessageSigner = {
  sign: async (_tenant, request) => {
    const made = { kid: 'k1', createdSeconds: 1_795_305_600 }
    const signature = sign(null, Buffer.from(signatureBase({ ...request, ...made })), privateKey)
    return { ...made, signature: signature.toString('base64') }
  },
}

type Kind = 'splunk-hec' | 'otlp-logs' | 'elasticsearch' | 'webhook'
const sinkOf = (type: Kind, url: string, by = http): Sink => {
  const name = 'siem'
  switch (type) {
    case 'splunk-hec':
      return createSplunkHecSink(
        { name, type, url, token: 'acme/hec', index: 'audit', isAcknowledged: true },
        { http: by, secrets, issuerUrl: ISSUER, ackWaitMs: 0 },
      )
    case 'otlp-logs':
      return createOtlpLogsSink(
        { name, type, url: `${url}/v1/logs`, token: 'acme/otel', header: null },
        { http: by, secrets, issuerUrl: ISSUER },
      )
    case 'elasticsearch':
      return createElasticsearchSink(
        { name, type, url, index: 'mintmark', token: 'acme/es', scheme: 'ApiKey' },
        { http: by, secrets },
      )
    case 'webhook':
      return createWebhookSink(
        { name, type, url: `${url}/hook?x=1`, token: null },
        { http: by, secrets, signer, tenant: 'acme', issuerUrl: ISSUER },
      )
  }
}
const KINDS: readonly Kind[] = ['splunk-hec', 'otlp-logs', 'elasticsearch', 'webhook']
const created = (count: number) => Array.from({ length: count }, () => ({ create: { status: 201 } }))
/** What a healthy one of each kind answers. */
const HEALTHY: Readonly<Record<Kind, Reply>> = {
  'splunk-hec': ({ path, text }, response) =>
    path.endsWith('/ack')
      ? json(response, {
          acks: Object.fromEntries((JSON.parse(text) as { acks: number[] }).acks.map((id) => [id, true])),
        })
      : json(response, { text: 'Success', code: 0, ackId: 7 }),
  'otlp-logs': (_, response) => json(response, { partialSuccess: {} }),
  elasticsearch: ({ text }, response) =>
    json(response, { errors: false, items: created(text.trimEnd().split('\n').length / 2) }),
  webhook: (_, response) => void response.writeHead(204).end(),
}

describe.each(KINDS)('%s', (kind) => {
  test('events a healthy receiver takes are taken and settled, with none refused', async () => {
    const receiver = await startReceiver(HEALTHY[kind])
    const sink = sinkOf(kind, receiver.url)
    expect(await sink.deliver(events)).toEqual({ kind: 'taken', refused: [] })
    if (sink.settle) expect(await sink.settle()).toEqual({ kind: 'taken', refused: [] })
  })

  const FAULTS: readonly (readonly [string, Reply, string, number | null])[] = [
    ['503', (_, r) => void r.writeHead(503).end(), 'status_5xx', null],
    ['503 with Retry-After', (_, r) => void r.writeHead(503, { 'retry-after': '7' }).end(), 'status_5xx', 7_000],
    ['429 with Retry-After', (_, r) => json(r, {}, 429, { 'retry-after': '30' }), 'status_429', 30_000],
    ['401', (_, r) => json(r, { text: 'Invalid token', code: 4 }, 401), 'status_4xx', null],
    ['404', (_, r) => json(r, {}, 404), 'status_4xx', null],
    ['silence', () => undefined, 'deadline', null],
    ['a hang-up', (_, r) => void r.destroy(), 'interrupted', null],
    ['a redirect', (_, r) => void r.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), 'redirect', null],
    [
      'a web page with status 200',
      (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>ok</html>'),
      'not_its_protocol',
      null,
    ],
    [
      'half an answer',
      (_, r) => {
        r.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        r.write('{"acks"')
        setTimeout(() => r.destroy(), 10)
      },
      'interrupted',
      null,
    ],
  ]
  test.each(FAULTS)('%s is not a delivery: everything is brought again', async (_, reply, trouble, retryAfterMs) => {
    const receiver = await startReceiver(reply)
    const sink = sinkOf(kind, receiver.url, trouble === 'deadline' ? impatient : http)
    expect(await sink.deliver(events)).toEqual({ kind: 'later', trouble, retryAfterMs })
  })

  test('a server that is not there is not a delivery', async () => {
    const receiver = await startReceiver(HEALTHY[kind])
    receiver.close()
    const answer = await sinkOf(kind, receiver.url).deliver(events)
    expect(answer).toMatchObject({ kind: 'later', trouble: 'connect_failed' })
  })

  test('a body it says is too large is refused, to be split', async () => {
    const receiver = await startReceiver((_, r) => json(r, {}, 413))
    expect(await sinkOf(kind, receiver.url).deliver(events)).toEqual({ kind: 'refused', reason: 'too_large' })
  })

  test('the same events are the same bytes, so that a duplicate is seen to be one', async () => {
    const receiver = await startReceiver(HEALTHY[kind])
    await sinkOf(kind, receiver.url).deliver(events)
    await sinkOf(kind, receiver.url).deliver(events)
    expect(receiver.all[0]!.text).toBe(receiver.all[1]!.text)
  })
})

test.each(['splunk-hec', 'otlp-logs', 'elasticsearch'] as const)(
  '%s answers JSON that says nothing: not delivered',
  async (kind) => {
    const receiver = await startReceiver((_, r) => json(r, ['ok']))
    expect(await sinkOf(kind, receiver.url).deliver(events)).toMatchObject({
      kind: 'later',
      trouble: 'not_its_protocol',
    })
  },
)

describe('splunk-hec', () => {
  test('is asked until it says that what was sent is indexed, and not believed before', async () => {
    const indexed = new Set<number>()
    let id = 0
    const receiver = await startReceiver(({ path, text }, r) => {
      if (!path.endsWith('/ack')) return json(r, { text: 'Success', code: 0, ackId: id++ })
      const { acks } = JSON.parse(text) as { acks: number[] }
      return json(r, { acks: Object.fromEntries(acks.map((one) => [one, indexed.has(one)])) })
    })
    const sink = sinkOf('splunk-hec', receiver.url)
    await sink.deliver(events.slice(0, 2))
    await sink.deliver(events.slice(2, 4))
    indexed.add(0)
    expect(await sink.settle?.()).toMatchObject({ kind: 'later', trouble: 'not_acknowledged' })
    indexed.add(1)
    expect(await sink.settle?.()).toMatchObject({ kind: 'taken' })
    expect(JSON.parse(receiver.all.at(-1)!.text)).toEqual({ acks: [1] })
    const channels = new Set(receiver.all.map(({ headers }) => headers['x-splunk-request-channel']))
    expect(channels.size).toBe(1)
    expect(receiver.all[0]!.headers.authorization).toBe('Splunk s3cret')
  })

  test('a token without indexer acknowledgement delivers nothing: it would be lost in silence', async () => {
    const receiver = await startReceiver((_, r) => json(r, { text: 'Success', code: 0 }))
    expect(await sinkOf('splunk-hec', receiver.url).deliver(events)).toMatchObject({
      kind: 'later',
      trouble: 'not_acknowledged',
    })
  })

  test.each([
    [6, { kind: 'refused', reason: 'refused' }],
    [7, { kind: 'later', trouble: 'status_4xx', retryAfterMs: null }],
  ])('a 400 with code %i is the events, or the set-up', async (code, answer) => {
    const receiver = await startReceiver((_, r) => json(r, { text: '', code }, 400))
    expect(await sinkOf('splunk-hec', receiver.url).deliver(events)).toEqual(answer)
  })
})

describe('elasticsearch', () => {
  const answer =
    (...items: readonly { status: number; error?: { type: string } }[]): Reply =>
    (_, r) =>
      json(r, { errors: true, items: items.map((create) => ({ create })) })
  const deliver = async (reply: Reply, count: number) => {
    const receiver = await startReceiver(reply)
    return sinkOf('elasticsearch', receiver.url).deliver(events.slice(0, count))
  }
  const MAPPING = { status: 400, error: { type: 'document_parsing_exception' } }

  test('a conflict is the event that is there already', async () => {
    const conflict = { status: 409, error: { type: 'version_conflict_engine_exception' } }
    expect(await deliver(answer({ status: 201 }, conflict), 2)).toEqual({ kind: 'taken', refused: [] })
  })
  test('one that does not fit the mapping is named, and the others are taken', async () => {
    expect(await deliver(answer({ status: 201 }, MAPPING, { status: 201 }), 3)).toEqual({
      kind: 'taken',
      refused: [{ index: 1, reason: 'mapping_refused' }],
    })
  })
  test.each([
    [429, 'es_rejected_execution_exception', 'status_429'],
    [503, 'unavailable_shards_exception', 'status_5xx'],
    [404, 'index_not_found_exception', 'status_4xx'],
    [400, 'illegal_argument_exception', 'status_4xx'],
  ])('an item with %i %s is brought again, with all the others', async (status, type, trouble) => {
    expect(await deliver(answer({ status: 201 }, { status, error: { type } }, MAPPING), 3)).toMatchObject({
      kind: 'later',
      trouble,
    })
  })
  test('an answer for fewer events than were sent says nothing', async () => {
    expect(await deliver(answer({ status: 201 }), 2)).toMatchObject({ kind: 'later', trouble: 'not_its_protocol' })
  })
  test('an answer longer than the events sent give reason for is not read', async () => {
    const long: Reply = (_, r) => json(r, { items: created(1), padding: 'x'.repeat(66 * 1024) })
    expect(await deliver(long, 1)).toMatchObject({ kind: 'later', trouble: 'not_its_protocol' })
  })
})

test.each([
  ['204, as Grafana Loki does', (_: unknown, r: ServerResponse) => void r.writeHead(204).end()],
  ['null for what is not partial', (_: unknown, r: ServerResponse) => json(r, { partialSuccess: null })],
  ['null for how many', (_: unknown, r: ServerResponse) => json(r, { partialSuccess: { rejectedLogRecords: null } })],
])('otlp-logs: %s says that it has them all, and nothing is sent again for ever', async (_, reply) => {
  const receiver = await startReceiver(reply)
  expect(await sinkOf('otlp-logs', receiver.url).deliver(events)).toEqual({ kind: 'taken', refused: [] })
})

test.each(['splunk-hec', 'elasticsearch'] as const)(
  '%s says of each event what became of it: 204 says nothing',
  async (kind) => {
    const receiver = await startReceiver((_, r) => void r.writeHead(204).end())
    expect(await sinkOf(kind, receiver.url).deliver(events)).toMatchObject({ kind: 'later' })
  },
)

test('otlp-logs: a partial success does not say which, so all are brought again in halves', async () => {
  const receiver = await startReceiver((_, r) =>
    json(r, { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'x' } }),
  )
  expect(await sinkOf('otlp-logs', receiver.url).deliver(events)).toEqual({ kind: 'refused', reason: 'refused' })
})

test('webhook: the signature verifies by RFC 9421 alone, and not over another body or URL', async () => {
  const receiver = await startReceiver(HEALTHY.webhook)
  await sinkOf('webhook', receiver.url).deliver(events)
  const [received] = receiver.all as [Received]
  const [url, jwks] = [`${receiver.url}/hook?x=1`, { keys: [{ kid: 'k1', x: publicKey.export({ format: 'jwk' }).x! }] }]
  expect(received.headers['signature-input']).toBe(
    'mintmark=("@method" "@target-uri" "content-type" "content-digest");created=1795305600;keyid="k1";alg="ed25519"',
  )
  expect(isSignedFor(url, received, jwks)).toBe(true)
  expect(isSignedFor(`${receiver.url}/other`, received, jwks)).toBe(false)
  expect(isSignedFor(url, { ...received, bytes: Buffer.from('[]') }, jwks)).toBe(false)
})

test.each(KINDS)('%s: a secret or key that cannot be read is an outage, and nothing is sent', async (kind) => {
  const receiver = await startReceiver(HEALTHY[kind])
  const original = secrets.text
  const sign = signer.sign
  const fail = async () => {
    throw new Unavailable('secret_unavailable')
  }
  secrets.text = fail
  signer.sign = fail
  try {
    await expect(sinkOf(kind, receiver.url).deliver(events)).rejects.toThrow(Unavailable)
    expect(receiver.all).toEqual([])
  } finally {
    secrets.text = original
    signer.sign = sign
  }
})
