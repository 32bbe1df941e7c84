// Security events pushed to the real broker: what an identity provider reports is denied at the next exchange, and whatever is
// not authentic, not for this tenant, or no event at all changes nothing. Longer than 300 lines: one broker serves all.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { run as events } from '../../bin/commands/events.ts'
import { guarded, idp, platform, SUBJECT, startEventBench } from '../support/event-bench.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { CAEP, pushSet, RISC, SSF, signSet } from '../support/security-events.ts'

const bench = await startEventBench()
const { broker, acme, globex, mint, push, claimsFor, rows, inForce, settled, lastOutcome, unblockAll } = bench
afterEach(unblockAll)
afterAll(bench.close)

describe('an event that is mapped', () => {
  test('202 with an empty body, and the identity is denied', async () => {
    expect((await mint()).status).toBe(200)
    const answer = await push()
    expect([answer.status, answer.body]).toEqual([202, null])
    await settled()
    expect(inForce()).toEqual([
      {
        tenant: 'acme',
        kind: 'subject',
        issuer: '',
        value: SUBJECT,
        form: 'block',
        by: 'events/idp',
        reason: 'session-revoked reported by idp',
      },
    ])
    expect(await mint()).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test.each([
    [
      'the session of a complex subject',
      {
        format: 'complex',
        session: { format: 'opaque', id: '4711' },
        user: { format: 'email', email: 'a@acme.example' },
      },
      'session-revoked',
      {},
      { kind: 'run', issuer: 'github', value: '4711', form: 'block' },
    ],
    [
      'the user of a complex subject without session',
      { format: 'complex', user: { format: 'email', email: 'a@acme.example' } },
      'session-revoked',
      {},
      { kind: 'actor', issuer: 'github', value: 'a@acme.example' },
    ],
    [
      'one of several aliases',
      {
        format: 'aliases',
        identifiers: [
          { format: 'phone_number', phone_number: '+1' },
          { format: 'opaque', id: SUBJECT },
        ],
      },
      'session-revoked',
      {},
      { kind: 'subject', value: SUBJECT },
    ],
    [
      'a device that no longer complies',
      { format: 'uri', uri: SUBJECT },
      'device-compliance-change',
      { previous_status: 'compliant', current_status: 'not-compliant' },
      { kind: 'subject', value: SUBJECT },
    ],
  ])('%s', async (_, subject, name, payload, expected) => {
    expect((await push({ sub_id: subject, events: { [CAEP + name]: payload } })).status).toBe(202)
    await settled()
    expect(inForce()).toMatchObject([expected])
  })

  test('iss_sub of the tenant, with an action of its own', async () => {
    const events = { [`${CAEP}credential-change`]: { credential_type: 'x509', change_type: 'revoke' } }
    expect((await push({ sub_id: { format: 'iss_sub', iss: acme, sub: SUBJECT }, events })).status).toBe(202)
    await settled()
    expect(inForce()).toMatchObject([{ kind: 'subject', value: SUBJECT, form: 'cut' }])
  })

  test('a credential by its jwt_id: the assertion it came from is blocked with it', async () => {
    const jti = (await mint()).body['decision_id']
    expect((await push({ sub_id: { format: 'jwt_id', iss: acme, jti } })).status).toBe(202)
    await settled()
    expect(inForce().map(({ kind }) => kind)).toEqual(['credential', 'assertion'])
  })

  test('sent again: 202 again, and one order', async () => {
    const set = signSet(idp, claimsFor())
    for (const answer of await Promise.all([set, set, set].map((again) => pushSet(acme, again))))
      expect(answer.status).toBe(202)
    await settled()
    expect((await pushSet(acme, set)).status).toBe(202)
    await settled()
    expect(inForce()).toHaveLength(1)
    const jti = JSON.parse(Buffer.from(set.split('.')[1]!, 'base64url').toString()).jti
    expect(rows('SELECT body FROM revocation_order').filter(({ body }) => String(body).includes(set))).toHaveLength(1)
    expect(rows('SELECT * FROM quarantined_message')).toEqual([])
    const changed = await push({ jti, sub_id: { format: 'opaque', id: 'spiffe://acme.example/other' } })
    expect([changed.status, changed.body]).toMatchObject([400, { err: 'invalid_request' }])
  })

  test('a block that was lifted stays lifted when its event is sent again', async () => {
    const set = signSet(idp, claimsFor())
    await pushSet(acme, set)
    await settled()
    await unblockAll()
    expect((await pushSet(acme, set)).status).toBe(202)
    await settled()
    expect(inForce()).toEqual([])
  })
})

describe('recorded, and nothing is revoked', () => {
  test.each([
    [
      'verification',
      { sub_id: { format: 'opaque', id: 's1' }, events: { [`${SSF}verification`]: { state: 'x' } } },
      'acknowledged',
      false,
    ],
    [
      'stream-updated',
      { sub_id: { format: 'opaque', id: 's1' }, events: { [`${SSF}stream-updated`]: { status: 'paused' } } },
      'acknowledged',
      true,
    ],
    [
      'a device that complies again',
      {
        sub_id: { format: 'uri', uri: SUBJECT },
        events: { [`${CAEP}device-compliance-change`]: { current_status: 'compliant' } },
      },
      'acknowledged',
      false,
    ],
    [
      'an event that is not mapped',
      { events: { [`${CAEP}token-claims-change`]: { claims: {} } } },
      'selects_nothing',
      true,
    ],
    ['an event nobody knows', { events: { 'https://example.com/event': {} } }, 'selects_nothing', true],
    ['a subject of another format', { sub_id: { format: 'did', url: 'did:example:1' } }, 'selects_nothing', true],
    [
      'the subject of another issuer',
      {
        sub_id: { format: 'iss_sub', iss: 'https://elsewhere.example', sub: SUBJECT },
        events: { [`${CAEP}credential-change`]: { change_type: 'revoke' } },
      },
      'selects_nothing',
      true,
    ],
  ])('%s', async (_, changes, outcome, isAlarm) => {
    const before = broker.output().length
    expect((await push(changes)).status).toBe(202)
    expect(lastOutcome()).toBe(outcome)
    expect(inForce()).toEqual([])
    const said = () => broker.output().slice(before)
    if (isAlarm) await expect.poll(said).toMatch(/"alarm":"event_(selects_nothing|stream_ending)"/)
    else expect(said()).not.toContain('"alarm"')
  })

  test('what it names can be no value of that kind: 400 before anything is accepted, and an alarm', async () => {
    const answer = await push({ sub_id: { format: 'opaque', id: 'spiffe://globex.example/ci/x' } })
    expect([answer.status, answer.body]).toMatchObject([400, { err: 'invalid_request' }])
    await expect.poll(() => broker.output()).toContain('"alarm":"event_not_carried_out"')
    expect([lastOutcome(), inForce()]).toEqual(['unselectable', []])
  })
})

describe('refused, and nothing is queued, recorded or revoked', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const two = { [`${CAEP}session-revoked`]: {}, [`${RISC}account-disabled`]: {} }
  const raw = (set: string) => () => pushSet(acme, set)
  const row =
    (changes: Record<string, unknown>, header: Record<string, unknown> = {}) =>
    () =>
      push(changes, header)
  const tamper = () => {
    const [header, , signature] = signSet(idp, claimsFor()).split('.')
    const claims = Buffer.from(JSON.stringify(claimsFor())).toString('base64url')
    return pushSet(acme, `${header}.${claims}.${signature}`)
  }
  const none = () => {
    const header = Buffer.from(JSON.stringify({ typ: 'secevent+jwt', alg: 'none', kid: idp.kid })).toString('base64url')
    return pushSet(acme, `${header}.${Buffer.from(JSON.stringify(claimsFor())).toString('base64url')}.AA`)
  }
  test.each([
    ['typ JWT: an ID token', row({}, { typ: 'JWT' }), 'invalid_request'],
    ['no typ', row({}, { typ: undefined }), 'invalid_request'],
    ['typ at+jwt', row({}, { typ: 'at+jwt' }), 'invalid_request'],
    ['another issuer', row({ iss: 'https://evil.example' }), 'invalid_issuer'],
    ['no issuer', row({ iss: undefined }), 'invalid_issuer'],
    ['the audience of the other tenant', row({ aud: 'http://globex' }), 'invalid_audience'],
    ['two audiences', () => push({ aud: [`${acme}/events`, 'https://x.example'] }), 'invalid_audience'],
    ['the audience of evidence', () => push({ aud: acme }), 'invalid_audience'],
    ['no audience', row({ aud: undefined }), 'invalid_audience'],
    ['sub', row({ sub: 'somebody' }), 'invalid_request'],
    ['exp', row({ exp: now() + 60 }), 'invalid_request'],
    ['no jti', row({ jti: undefined }), 'invalid_request'],
    ['a jti that is too long', row({ jti: 'j'.repeat(257) }), 'invalid_request'],
    ['no iat', row({ iat: undefined }), 'invalid_request'],
    ['from the future', row({ iat: now() + 120 }), 'invalid_request'],
    ['older than what is remembered', row({ iat: now() - 8 * 24 * 3600 }), 'invalid_request'],
    ['two events', row({ events: two }), 'invalid_request'],
    ['no event', row({ events: {} }), 'invalid_request'],
    ['no subject', row({ sub_id: undefined }), 'invalid_request'],
    [
      'the subject inside the event only',
      row({
        sub_id: undefined,
        events: { [`${CAEP}session-revoked`]: { subject: { format: 'opaque', id: SUBJECT } } },
      }),
      'invalid_request',
    ],
    ['a subject without its value', row({ sub_id: { format: 'opaque' } }), 'invalid_request'],
    [
      'an event that does not say whether it is bad news',
      row({ events: { [`${CAEP}credential-change`]: {} } }),
      'invalid_request',
    ],
    ['an unknown key', () => pushSet(acme, signSet(issuerKey('RS256'), claimsFor())), 'invalid_key'],
    [
      'a key under the id of the true one',
      () => pushSet(acme, signSet({ ...issuerKey('RS256'), kid: idp.kid }, claimsFor())),
      'authentication_failed',
    ],
    ['an algorithm that is not allowed', () => push({}, { alg: 'RS512' }), 'invalid_key'],
    ['alg none', none, 'invalid_key'],
    ['a key of its own', row({}, { jwk: issuerKey('RS256').jwk }), 'invalid_request'],
    ['a signature over other claims', tamper, 'authentication_failed'],
    ['evidence of a job', () => pushSet(acme, signAssertion(platform, githubClaims(acme))), 'invalid_issuer'],
    ['no token', raw('hello'), 'invalid_request'],
    ['nothing', raw(''), 'invalid_request'],
    [
      'deep JSON',
      row({ events: { [`${CAEP}session-revoked`]: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) } }),
      'invalid_request',
    ],
    [
      'row 37: thousands of tiny members',
      row({ tiny: Object.fromEntries(Array.from({ length: 1200 }, (_, at) => [at, 0])) }),
      'invalid_request',
    ],
    ['row 37: thousands of tiny arrays', row({ tiny: Array.from({ length: 3000 }, () => []) }), 'invalid_request'],
    ['row 37: a body of nothing but dots', raw('.'.repeat(16_000)), 'invalid_request'],
    ['a long string', row({ txn: 'x'.repeat(2049) }), 'invalid_request'],
    ['a token over the limit', raw(`a.${'b'.repeat(17_000)}.c`), 'invalid_request'],
  ] as const)('%s', async (_, ask, err) => {
    const before = rows('SELECT count(*) AS n FROM security_event')
    const answer = await ask()
    expect([answer.status, answer.body]).toEqual([400, { err, description: expect.any(String) }])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-language')).toBe('en')
    expect(rows('SELECT count(*) AS n FROM security_event')).toEqual(before)
    expect(inForce()).toEqual([])
  })

  test("a SET for one tenant pushed to another: only the audience's tenant ever acts", async () => {
    const forAcme = signSet(idp, claimsFor())
    expect((await pushSet(globex, forAcme)).body).toMatchObject({ err: 'invalid_audience' })
    expect(inForce()).toEqual([])
  })

  test.each([
    ['another method', { method: 'GET' }, 405],
    ['another type', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }, 415],
    [
      'a body over the limit',
      { method: 'POST', body: 'a'.repeat(40_000), headers: { 'content-type': 'application/secevent+jwt' } },
      413,
    ],
  ])('%s', async (_, request, status) => {
    const response = await fetch(`${acme}/events`, request)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ err: 'invalid_request', description: expect.any(String) })
  })

  test('a tenant that is not there is 404, whatever was signed', async () => {
    expect((await pushSet(`${broker.url}/t/nobody`, signSet(idp, claimsFor()))).status).toBe(404)
  })

  test('a source that shows a secret: without it, and with another, 401 whatever the SET', async () => {
    const set = signSet(guarded, claimsFor({ iss: 'https://guarded.example' }))
    for (const headers of [
      {},
      { authorization: 'Bearer of-another' },
      { authorization: 'Bearer of-the-stream ' + 'x' },
    ]) {
      const answer = await pushSet(acme, set, headers)
      expect([answer.status, answer.body]).toMatchObject([401, { err: 'authentication_failed' }])
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect((await pushSet(acme, set, { authorization: 'Bearer of-the-stream' })).status).toBe(202)
  })
})
test('mintmark events lists what came of each, newest first, and of one tenant', async () => {
  await push()
  await push({ events: { 'https://example.com/event': {} } })
  const io = captureIo()
  expect(await events(['--tenant', 'acme', '--data', broker.dataDir], io)).toBe(0)
  const lines = io.out().split('\n')
  expect(lines[0]).toMatch(/^[0-9a-f-]{36} {2}20.*Z {2}selects_nothing {2}unknown by idp$/)
  expect(lines[1]).toMatch(/ordered +session-revoked by idp$/)
  const theirs = captureIo()
  await events(['--tenant', 'globex', '--data', broker.dataDir, '--json'], theirs)
  expect(JSON.parse(theirs.out())).toEqual({ events: [] })
})

test('the process log says which refusal it was, and nothing of the SET', async () => {
  await push({ aud: 'https://CANARY.example', txn: 'CANARY-txn' })
  await expect.poll(() => broker.output()).toContain('"refusal":"audience_mismatch"')
  expect(broker.output()).not.toContain('CANARY')
})
