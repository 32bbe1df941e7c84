// Callers whose token is bound to a key (RFC 9449 §7): it counts with a proof of its own for this very call, made by that key, once.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run as decision } from '../../bin/commands/decision.ts'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as tokenCommand } from '../../bin/commands/token.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { sendOrder } from '../../lib/flows/revocation/send-order.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { athOf, dpopProof, type Holder, newHolder } from '../support/dpop.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { captureIo } from '../support/io.ts'
import { operatorTenant, type Right, tokenOf } from '../support/operators.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let holder: Holder
let reader: string
beforeAll(async () => {
  const port = await freePort()
  acme = `http://127.0.0.1:${port}/t/acme`
  const tenants = { acme: operatorTenant('acme', acme, key, '1234567') }
  broker = await startBroker({ tenants, args: ['--port', String(port), '--limits', 'off'] })
  holder = await newHolder()
  reader = await bound('reader')
})
afterAll(() => removeBroker(broker))

const newRun = () => String(Number.parseInt(randomUUID().slice(0, 8), 16))
const bound = async (right: Right, claims: Record<string, unknown> = {}): Promise<string> => {
  const evidence = signAssertion(key, githubClaims(acme, { environment: right, run_id: newRun() }))
  const headers = { dpop: dpopProof(holder, `${acme}/token`, claims) }
  return String((await exchange(acme, evidence, { audience: acme }, headers)).body['access_token'])
}
const proofFor = (path: string, token: string, claims: Record<string, unknown> = {}, by = holder) =>
  dpopProof(by, `${acme}/${path}`, { ath: athOf(token), ...claims })

type Sent = { readonly authorization: string; readonly dpop?: string }
const send = async (path: string, headers: Sent, body: object | string) => {
  const isForm = typeof body === 'string'
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  const response = await fetch(`${acme}/${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': type },
    body: isForm ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}
const introspect = (headers: Sent) => send('introspect', headers, `token=${reader}`)

const onDisk = <T>(work: (database: ReturnType<typeof openDatabase>) => T): T => {
  const database = openDatabase({ dataDir: broker.dataDir, dev: null })
  try {
    return work(database)
  } finally {
    database.close()
  }
}
/** What the record of a refusal says was wrong. */
const recorded = (decisionId: unknown): unknown =>
  onDisk((database) => {
    const bytes = Buffer.from(String(decisionId).replaceAll('-', ''), 'hex')
    const row = database.read((sql) => sql('SELECT body FROM denial WHERE decision = ?').get(bytes))
    return row === undefined ? null : JSON.parse(String(row['body'])).refusal.detail?.problem
  })

test('a bound token and a proof of it are a caller; the same proof again is none', async () => {
  const headers = { authorization: `DPoP ${reader}`, dpop: proofFor('introspect', reader) }
  expect((await introspect(headers)).body).toMatchObject({ active: true, cnf: { jkt: holder.jkt } })
  expect((await introspect(headers)).status).toBe(401)
})

test('of a hundred calls at once with one proof one is answered', async () => {
  const headers = { authorization: `DPoP ${reader}`, dpop: proofFor('introspect', reader) }
  const answers = await Promise.all(Array.from({ length: 100 }, () => introspect(headers)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
})

describe('refused, and recorded for what it is', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const dpop = (claims?: Record<string, unknown>) => ({
    authorization: `DPoP ${reader}`,
    dpop: proofFor('introspect', reader, claims),
  })
  const cases: readonly (readonly [problem: string, string, () => Sent | Promise<Sent>])[] = [
    ['proof_required', 'a thief sends it as Bearer', () => ({ authorization: `Bearer ${reader}` })],
    ['proof_required', 'as Bearer with a good proof', () => ({ ...dpop(), authorization: `Bearer ${reader}` })],
    ['proof_required', 'no proof', () => ({ authorization: `DPoP ${reader}` })],
    ['proof_token_not_compact', 'two proofs', () => ({ ...dpop(), dpop: `${dpop().dpop}, ${dpop().dpop}` })],
    ['proof_ath', 'a proof that names no token', () => dpop({ ath: undefined })],
    ['proof_ath', 'a proof of another token', () => dpop({ ath: athOf(`${reader}x`) })],
    ['proof_htu', 'a proof for another endpoint', () => ({ ...dpop(), dpop: proofFor('revoke', reader) })],
    ['proof_htu', 'a proof for another host', () => dpop({ htu: 'https://evil.example/t/acme/introspect' })],
    ['proof_htm', 'a proof for another method', () => dpop({ htm: 'GET' })],
    ['proof_iat', 'a stale proof', () => dpop({ iat: now() - 120 })],
    ['proof_iat', 'a proof of the future', () => dpop({ iat: now() + 120 })],
    [
      'proof_key',
      "a thief's own key",
      async () => ({ ...dpop(), dpop: proofFor('introspect', reader, {}, await newHolder()) }),
    ],
    [
      'proof_signature',
      'a signature that is not of the key it shows',
      () => ({ ...dpop(), dpop: dpop().dpop.replace(/\.[^.]+$/, `.${'A'.repeat(86)}`) }),
    ],
    [
      'proof_replayed',
      'a jti that the token endpoint has seen',
      async () => {
        const jti = randomUUID()
        await bound('reader', { jti })
        return dpop({ jti })
      },
    ],
    [
      'not_bound',
      'an unbound token as DPoP',
      async () => {
        const { token } = await tokenOf(acme, { key, right: 'reader' })
        return { authorization: `DPoP ${token}`, dpop: proofFor('introspect', token) }
      },
    ],
  ]
  test.each(cases)('%s: %s', async (problem, _, sent) => {
    const { status, headers, body } = await introspect(await sent())
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
    expect(headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", .+, DPoP algs="ES256 /)
    await expect.poll(() => recorded(body['decision_id'])).toBe(problem)
  })
})

describe('what a bound operator orders', () => {
  const inForce = (run: string) =>
    onDisk((database) =>
      database.read((sql) => sql("SELECT 1 FROM revocation WHERE kind = 'run' AND value = ?").get(run)),
    )

  test('is carried out, and its record opens nothing', async () => {
    const [token, run] = [await bound('operator'), newRun()]
    const headers = { authorization: `DPoP ${token}`, dpop: proofFor('admin/revocations', token) }
    const { status } = await send('admin/revocations', headers, { kind: 'run', value: run, reason: 'test' })
    expect(status).toBe(202)
    await expect.poll(() => inForce(run)).toBeDefined()
    const rows = onDisk((database) => database.read((sql) => sql('SELECT body FROM revocation_order').all()))
    const kept = rows.map(({ body }) => String(body)).join()
    for (const text of [token, headers.dpop]) expect(kept).not.toContain(text.slice(text.lastIndexOf('.') + 1))
  })

  const forged: readonly (readonly [string, (token: string) => { readonly dpop?: string }])[] = [
    ['without a proof', () => ({})],
    [
      'with a proof for another tenant',
      (token) => ({ dpop: proofFor('x', token, { htu: 'http://127.0.0.1/t/globex/admin/revocations' }) }),
    ],
    [
      'with a proof of another token',
      (token) => ({ dpop: proofFor('admin/revocations', token, { ath: athOf('other') }) }),
    ],
    ['with a proof of long ago', (token) => ({ dpop: proofFor('admin/revocations', token, { iat: 1 }) })],
  ]
  test.each(forged)('is not, from whoever has the token and the queue, %s', async (_, more) => {
    const [token, run] = [await bound('operator'), newRun()]
    const order: RevocationOrder = {
      v: 1,
      id: randomUUID(),
      tenant: 'acme',
      selectors: [{ kind: 'run', issuer: 'github', value: run }],
      form: 'block',
      reason: 'forged',
      proof: { kind: 'token', token, ...more(token) },
      orderedAtSeconds: systemClock.nowSeconds(),
    }
    const database = openDatabase({ dataDir: broker.dataDir, dev: null })
    try {
      await sendOrder(createQueue(database, 'revoke', systemClock), order)
      const refused = () =>
        database.read((sql) => sql('SELECT reason FROM quarantined_message WHERE body LIKE ?').get(`%${order.id}%`))?.[
          'reason'
        ]
      await expect.poll(refused).toBe('proof_not_accepted')
    } finally {
      database.close()
    }
    expect(inForce(run)).toBeUndefined()
  })
})

describe('the commands, with --dpop-key', () => {
  const fileOf = (name: string, text: string): string => {
    const file = join(broker.tenantsDir, '..', name)
    writeFileSync(file, text)
    return file
  }
  const pem = (pair: { readonly privateKey: Holder['privateKey'] }) =>
    String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  /** `mintmark token`, for an operator whose key is in `keyFile`; where the token is then. */
  const obtain = async (keyFile: string): Promise<string> => {
    const out = join(broker.tenantsDir, '..', 'bound.token')
    const evidence = signAssertion(key, githubClaims(acme, { environment: 'operator', run_id: newRun() }))
    const assertion = fileOf('evidence.jwt', evidence)
    const io = captureIo()
    const args = [
      '--tenant-url',
      acme,
      '--audience',
      acme,
      '--assertion',
      assertion,
      '--dpop-key',
      keyFile,
      '--out',
      out,
    ]
    expect([await tokenCommand(args, io), io.err()]).toEqual([0, ''])
    return out
  }
  const operate = async (run: typeof revoke, args: readonly string[], files: readonly string[]) => {
    const io = captureIo()
    const code = await run([...args, '--tenant-url', acme, '--token-file', ...files, '--json'], io)
    return { code, err: io.err(), json: JSON.parse(io.out() || 'null') as Record<string, unknown> }
  }

  test.each([
    ['P-256, as PEM', () => pem(holder)],
    [
      'P-384, as JWK',
      () => JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })),
    ],
    ['RSA', () => pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))],
  ])(
    'token gets a token bound to the key (%s), and revoke, revocations, unblock and decision take it',
    async (_, make) => {
      const keyFile = fileOf('operator.key', make())
      const files = [await obtain(keyFile), '--dpop-key', keyFile]
      const run = newRun()
      const ordered = await operate(revoke, ['--run', run, '--reason', 'test'], files)
      expect([ordered.code, ordered.err, ordered.json['kind']]).toEqual([0, '', 'in_force'])
      const [id] = ordered.json['revocations'] as readonly string[]
      const listed = (await operate(revocations, [], files)).json['revocations'] as readonly { readonly id: string }[]
      expect(listed.map((row) => row.id)).toContain(id)
      expect((await operate(unblock, [id!, '--reason', 'test'], files)).code).toBe(0)
      const { jti } = JSON.parse(Buffer.from(readFileSync(files[0]!, 'utf8').split('.')[1]!, 'base64url').toString())
      expect((await operate(decision, [String(jti)], files)).code).toBe(0)
    },
  )

  test('without the key, or with another, the token is worth nothing', async () => {
    const token = await obtain(fileOf('operator.key', pem(holder)))
    const others = fileOf('other.key', pem(await newHolder()))
    for (const files of [[token], [token, '--dpop-key', others]]) {
      const { code, err } = await operate(revocations, [], files)
      expect([code, err]).toEqual([1, expect.stringContaining('HTTP 401')])
    }
  })

  test.each([
    ['no key at all', 'certainly not', /no private key/],
    ['a public key', () => JSON.stringify(holder.jwk), /no private key/],
    ['a key of another kind', () => pem(generateKeyPairSync('ed25519')), /none of P-256/],
    ['a short RSA key', () => pem(generateKeyPairSync('rsa', { modulusLength: 1024 })), /none of P-256/],
  ])('%s is said to be none, and what is in the file is not printed', async (_, text, says) => {
    const content = typeof text === 'string' ? text : text()
    const { code, err } = await operate(
      revocations,
      [],
      [fileOf('some.token', 'a.b.c'), '--dpop-key', fileOf('some.key', content)],
    )
    expect([code, err]).toEqual([2, expect.stringMatching(says)])
    expect(err).not.toContain(content.slice(40, 60) || content)
  })
})
