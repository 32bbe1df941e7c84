// Pushes of revocations on their bad days: real store, real keys, real HTTPS. Nothing is lost, duplicates have one jti, and no
// receiver holds up another. Longer than 300 lines: one bad day after another, over one bench.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { createPusher, pushTurn } from '../../../lib/flows/revocation/push-revocations.ts'
import type { OutboundResult } from '../../../lib/ports/outbound-http.ts'
import { ACCEPTED, type Answering, startReceiver } from '../../support/receiver.ts'
import { BENCH_ISSUER, receiverBench, webhook } from '../../support/receiver-bench.ts'

const EDGE = { tenant: 'acme', name: 'edge' }
const receiver = async (answering: Answering = ACCEPTED) => {
  const started = await startReceiver(answering)
  onTestFinished(() => started.close())
  return started
}
const seqsOf = (jtis: readonly (string | undefined)[]) => jtis.map((jti) => Number(jti?.split('.')[0]))

test('blocks, cuts and lifts are each one SET, in the order they were made, however late they are sent', async () => {
  const edge = await receiver()
  const bench = await receiverBench([webhook(edge.url())])
  const one = await bench.block('1')
  const cut = { form: 'cut', kind: 'project' } as const
  await bench.block('2', { ...cut, notBeforeSeconds: 50 })
  await bench.lift(one)
  await bench.block('2', { ...cut, notBeforeSeconds: 60 })
  await bench.block('1')
  await pushTurn(bench.ports, EDGE)
  expect(seqsOf(edge.jtis())).toEqual([1, 2, 3, 4, 5])
  const facts = edge.got.map(({ body }) => {
    const [[uri, event]] = Object.entries(decodeJwt(body)['events'] as object) as [[string, { revocation: object }]]
    return [uri.replace(/.*[:/]/, ''), (event.revocation as { not_before?: number }).not_before]
  })
  expect(facts).toEqual([
    ['session-revoked', undefined],
    ['session-revoked', 50],
    ['revocation-lifted', undefined],
    ['session-revoked', 60],
    ['session-revoked', undefined],
  ])
  const keys = createLocalJWKSet((await bench.published()) as never)
  for (const { body } of edge.got) await jwtVerify(body, keys, { issuer: BENCH_ISSUER, audience: edge.url() })
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 0, oldestAtSeconds: null, attempts: 0 })
})

test('a crash between the answer and its record sends the same claims again under the same jti', async () => {
  const edge = await receiver()
  const bench = await receiverBench([webhook(edge.url())])
  await bench.block('1')
  const crash = () => {
    throw new Error('killed here')
  }
  await expect(pushTurn({ ...bench.ports, failpoint: crash }, EDGE)).rejects.toThrow('killed here')
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 1 })
  bench.keys.clock.add(LIMITS.receiverLeaseMs / 1000)
  await pushTurn(bench.portsOn(bench.open()), EDGE)
  const [first, second] = edge.got.map(({ body }) => decodeJwt(body))
  expect(second).toEqual(first)
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 0 })
})

/** What strangers do instead of taking a SET, and what is kept of that. */
const HOSTILE: Readonly<Record<string, readonly [Answering, object]>> = {
  'a page that says all is well': [
    (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<p>canary</p>'),
    { problem: 'content_type', status: 200 },
  ],
  'a huge answer': [(r) => r.writeHead(202).end('canary'.repeat(100_000)), { problem: 'too_large', status: 202 }],
  'a redirect': [
    (r) => r.writeHead(302, { location: 'https://canary.example/' }).end(),
    { problem: 'redirect', status: 302 },
  ],
  'a failure': [(r) => r.writeHead(500).end('canary'), { problem: 'status', status: 500 }],
  'a wish to be left alone': [(r) => r.writeHead(429).end('canary'), { problem: 'status', status: 429 }],
  'half an answer': [
    (r) => {
      r.writeHead(202, { 'content-length': '10' }).write('canary')
      r.destroy()
    },
    { problem: 'interrupted' },
  ],
  'no answer': [() => undefined, { problem: 'deadline', status: null }],
}

test.each(Object.keys(HOSTILE))(
  '%s: the SET stays, is tried again, told to the audit once, and of the answer only status and size are kept',
  async (name) => {
    const [answering, last] = HOSTILE[name]!
    const edge = await receiver(answering)
    const bench = await receiverBench([webhook(edge.url())])
    await bench.block('1')
    await bench.block('2')
    const attempts = 3
    for (let count = 0; count < attempts; count += 1) await pushTurn(bench.ports, EDGE)
    // The second one is not sent before the first is taken.
    expect(new Set(edge.jtis()).size).toBe(1)
    expect(edge.got).toHaveLength(attempts)
    expect(await bench.stateOf('edge')).toMatchObject({ pending: 2, attempts, last })
    expect(JSON.stringify([await bench.stateOf('edge'), bench.told()])).not.toContain('canary')
    expect(bench.told().map(({ seq, problem }) => [seq, problem === null])).toEqual([[1, false]])

    edge.answer((response) => response.writeHead(200).end())
    await pushTurn(bench.ports, EDGE)
    expect(await bench.stateOf('edge')).toMatchObject({ pending: 0, attempts: 0 })
    expect(bench.told().map(({ seq, problem }) => [seq, problem === null])).toEqual([
      [1, false],
      [1, true],
      [2, true],
    ])
  },
)

/** What a receiver may say of one SET. */
const REFUSALS: typeof HOSTILE = {
  'an error that is registered': [
    (r) => r.writeHead(400, { 'content-type': 'application/json' }).end('{"err":"invalid_key","description":"canary"}'),
    { problem: 'invalid_key', status: 400 },
  ],
  'an error that is not': [
    (r) => r.writeHead(400).end('{"err":"canary"}'),
    { problem: 'error_not_registered', status: 400 },
  ],
  'an error that is no JSON': [(r) => r.writeHead(400).end('canary'), { problem: 'error_not_registered', status: 400 }],
}

test.each(Object.keys(REFUSALS))(
  '%s: what is behind the SET is told, also later, and it is tried again after that',
  async (name) => {
    const [refusing, last] = REFUSALS[name]!
    const refusesFirst: Answering = (response, request) =>
      decodeJwt(request.body).jti?.startsWith('1.') === true ? refusing(response, request) : ACCEPTED(response, request)
    const edge = await receiver(refusesFirst)
    const bench = await receiverBench([webhook(edge.url())])
    await bench.block('1')
    await bench.block('2')
    await pushTurn(bench.ports, EDGE)
    await pushTurn(bench.ports, EDGE)
    expect(seqsOf(edge.jtis())).toEqual([1, 2, 1])
    expect(await bench.stateOf('edge')).toMatchObject({ pending: 1, refused: 1, last })
    expect(JSON.stringify([await bench.stateOf('edge'), bench.told()])).not.toContain('canary')

    const due = () => bench.ports.receivers.due(bench.ports.holder, bench.ports.clock.nowMs(), null)
    expect(await due()).toEqual([])
    await bench.block('3')
    expect(await due()).toEqual([EDGE])
    await pushTurn(bench.ports, EDGE)
    expect(seqsOf(edge.jtis())).toEqual([1, 2, 1, 3, 1])

    edge.answer(ACCEPTED)
    await pushTurn(bench.ports, EDGE)
    expect(await bench.stateOf('edge')).toMatchObject({ pending: 0, refused: 0, attempts: 0 })
  },
)

test('what failed is left alone for a while, longer each time up to a minute, and then due again', async () => {
  const edge = await receiver((response) => response.writeHead(503).end())
  const bench = await receiverBench([webhook(edge.url())])
  await bench.block('1')
  const { ports } = bench
  const isDue = async () => (await ports.receivers.due(ports.holder, ports.clock.nowMs(), null)).length === 1
  const waits: number[] = []
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    await pushTurn(ports, EDGE)
    let waitedMs = 0
    for (; !(await isDue()); waitedMs += 250) bench.keys.clock.add(0.25)
    waits.push(waitedMs)
  }
  expect(waits.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000])
  expect(waits.at(-1)).toBe(30_000) // half of a minute: the random number is 0.5
})

test('a receiver that asks to be left alone is, and for a minute at the most', async () => {
  const edge = await receiver((response) => response.writeHead(429, { 'retry-after': '20' }).end())
  const bench = await receiverBench([webhook(edge.url())])
  await bench.block('1')
  const { ports } = bench
  const isDue = async () => (await ports.receivers.due(ports.holder, ports.clock.nowMs(), null)).length === 1
  await pushTurn(ports, EDGE)
  bench.keys.clock.add(19)
  expect(await isDue()).toBe(false)
  bench.keys.clock.add(1)
  expect(await isDue()).toBe(true)
  edge.answer((response) => response.writeHead(503, { 'retry-after': '999999' }).end())
  await pushTurn(ports, EDGE)
  bench.keys.clock.add(59)
  expect(await isDue()).toBe(false)
  bench.keys.clock.add(1)
  expect(await isDue()).toBe(true)
})

test('a clock that goes back an hour does not hold a receiver up for an hour', async () => {
  const edge = await receiver((response) => response.writeHead(503).end())
  const bench = await receiverBench([webhook(edge.url())])
  await bench.block('1')
  for (let attempt = 1; attempt <= 9; attempt += 1) await pushTurn(bench.ports, EDGE)
  bench.keys.clock.step(-3_600)
  edge.answer(ACCEPTED)
  expect(await bench.ports.receivers.due('somebody', bench.ports.clock.nowMs(), null)).toHaveLength(1)
  await pushTurn({ ...bench.ports, holder: 'somebody' }, EDGE)
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 0 })
})

test('one that never answers holds up itself alone', async () => {
  const edge = await receiver()
  const silent = 'https://silent.example/'
  const bench = await receiverBench([webhook(silent, 'silent'), webhook(edge.url())])
  // Its time is up when the test says so, and not before on a slow machine.
  const { promise: silence, resolve: giveUp } = Promise.withResolvers<OutboundResult>()
  let asked = 0
  const post: typeof bench.ports.http.post = (url, ...rest) => {
    if (url !== silent) return bench.ports.http.post(url, ...rest)
    asked += 1
    return silence
  }
  const unexpected: unknown[] = []
  const pusher = createPusher({ ...bench.ports, http: { post } }, (error) => unexpected.push(error))
  for (const value of ['1', '2', '3']) {
    await bench.block(value)
    await pusher.look()
    await expect.poll(async () => (await bench.stateOf('edge')).pending).toBe(0)
  }
  // All the while one request to the silent one, at the most, is under way.
  expect([edge.got.length, asked]).toEqual([3, 1])
  giveUp({ ok: false, failure: { reason: 'deadline', status: null, bytes: 0 } })
  await pusher.settled()
  expect(await bench.stateOf('silent')).toMatchObject({ pending: 3, last: { problem: 'deadline' } })
  expect(unexpected).toEqual([])
})

test('two brokers on one store: each SET arrives, in order, and one at a time', async () => {
  let underWay = 0
  let most = 0
  const edge = await receiver((response) => {
    underWay += 1
    most = Math.max(most, underWay)
    setTimeout(() => {
      underWay -= 1
      response.writeHead(202).end()
    }, 5)
  })
  const bench = await receiverBench([webhook(edge.url())])
  const brokers = [bench.ports, bench.portsOn(bench.open())].map((ports) => createPusher(ports, () => undefined))
  for (let count = 1; count <= 40; count += 1) {
    await bench.block(String(count))
    await Promise.all(brokers.map((broker) => broker.look()))
  }
  await expect
    .poll(async () => {
      await Promise.all(brokers.map((broker) => broker.look()))
      return (await bench.stateOf('edge')).pending
    })
    .toBe(0)
  expect(seqsOf(edge.jtis())).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
  expect(most).toBe(1)
})

test('a broker that hangs past its lease is succeeded: what comes twice has one jti, and nothing is passed over', async () => {
  const edge = await receiver()
  const bench = await receiverBench([webhook(edge.url())])
  const other = bench.portsOn(bench.open())
  for (let count = 1; count <= 6; count += 1) await bench.block(String(count))
  let isHung = false
  const hang = async () => {
    if (isHung) return
    isHung = true
    bench.keys.clock.add(LIMITS.receiverLeaseMs / 1000)
    await pushTurn(other, EDGE)
  }
  const post: typeof bench.ports.http.post = async (...args) => {
    const answer = await bench.ports.http.post(...args)
    await hang()
    return answer
  }
  await pushTurn({ ...bench.ports, http: { post } }, EDGE)
  expect(new Set(seqsOf(edge.jtis()))).toEqual(new Set([1, 2, 3, 4, 5, 6]))
  expect(new Set(edge.jtis()).size).toBe(6)
  expect(edge.got.length).toBe(7)
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 0 })
})

test('a secret that was long in coming begins no request that could outlast the lease', async () => {
  const edge = await receiver()
  const bench = await receiverBench([{ ...webhook(edge.url()), authorization: 'acme/edge' } as never])
  await bench.block('1')
  const text = async () => {
    bench.keys.clock.add(LIMITS.receiverTurnMs / 1000)
    return 'Bearer late'
  }
  await pushTurn({ ...bench.ports, secrets: { text } }, EDGE)
  expect(edge.got).toEqual([])
  // Nothing failed either: it is due at once.
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 1, attempts: 0, last: null })
  await pushTurn(bench.ports, EDGE)
  expect(await bench.stateOf('edge')).toMatchObject({ pending: 0 })
})

test('a turn asks whoever has the key, and whoever has the secret, once for some SETs', async () => {
  const edge = await receiver()
  const bench = await receiverBench([{ ...webhook(edge.url()), authorization: 'acme/edge' } as never])
  const count = LIMITS.receiverSetsAhead + 1
  for (let value = 1; value <= count; value += 1) await bench.block(String(value))
  const asked: number[][] = []
  let secretsRead = 0
  const { source, secrets } = bench.ports
  const ports = {
    ...bench.ports,
    source: {
      ...source,
      sets: (...args: Parameters<typeof source.sets>) => {
        asked.push(args[2].map(({ seq }) => seq))
        return source.sets(...args)
      },
    },
    secrets: {
      text: (...args: Parameters<typeof secrets.text>) => {
        secretsRead += 1
        return secrets.text(...args)
      },
    },
  }
  expect(await pushTurn(ports, EDGE)).toMatchObject({ sent: count })
  const all = Array.from({ length: count }, (_, at) => at + 1)
  expect([asked, secretsRead]).toEqual([[all.slice(0, -1), all.slice(-1)], 2])
  expect(seqsOf(edge.jtis())).toEqual(all)
})

test('a name that leads into the network of the broker is refused, and stays visible', async () => {
  const edge = await receiver()
  const bench = await receiverBench([webhook(edge.url())], [])
  await bench.block('1')
  await pushTurn(bench.ports, EDGE)
  expect(edge.got).toEqual([])
  expect(await bench.stateOf('edge')).toMatchObject({
    pending: 1,
    last: { problem: 'address_refused', status: null, bytes: 0 },
  })
})

test('without a key to sign with, or a secret to show, nothing is sent, and the receiver shows why', async () => {
  const edge = await receiver()
  const bench = await receiverBench([{ ...webhook(edge.url()), authorization: 'acme/edge' } as never])
  await bench.block('1')
  const active = async () => {
    throw new Unavailable('signing_key_unavailable')
  }
  const keyless = { ...bench.ports, source: bench.sourceOf({ ...bench.ring, active }) }
  await pushTurn(keyless, EDGE)
  expect(await bench.stateOf('edge')).toMatchObject({ last: { problem: 'signing_key_unavailable' }, attempts: 1 })
  const text = async () => {
    throw new Unavailable('secret_unavailable')
  }
  await pushTurn({ ...bench.ports, secrets: { text } }, EDGE)
  expect(await bench.stateOf('edge')).toMatchObject({ last: { problem: 'secret_unavailable' }, attempts: 2 })
  expect(edge.got).toEqual([])
  await pushTurn(bench.ports, EDGE)
  expect(edge.got[0]!.headers.authorization).toBe('Bearer acme/edge')
})

test('a receiver begins with the document that names it, not with what was revoked before', async () => {
  const edge = await receiver()
  const bench = await receiverBench([])
  await bench.block('before')
  await bench.apply([webhook(edge.url())])
  await bench.block('after')
  // Another document keeps its place; one without it ends it.
  await bench.apply([webhook(edge.url()), { name: 'other', type: 'poll' }])
  await pushTurn(bench.ports, EDGE)
  expect(seqsOf(edge.jtis())).toEqual([2])
  await bench.apply([])
  await bench.block('in between')
  await bench.apply([webhook(edge.url())])
  await bench.block('again')
  await pushTurn(bench.ports, EDGE)
  expect(seqsOf(edge.jtis())).toEqual([2, 4])
})
