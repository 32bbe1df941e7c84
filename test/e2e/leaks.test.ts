// Leaked secrets that GitHub reports to the real broker, by webhook and by its partner program.
import { createHmac, createSign, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { HOOK_SECRET, idp, partner, platform, startEventBench } from '../support/event-bench.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { signSet } from '../support/security-events.ts'

const bench = await startEventBench()
const { acme, globex, mint, claimsFor, rows, inForce, settled, lastOutcome } = bench
afterEach(bench.unblockAll)
afterAll(bench.close)

describe('a webhook of GitHub', () => {
  const recorded = JSON.parse(
    readFileSync(new URL('../../events/github/secret-scanning-alert-created.json', import.meta.url), 'utf8'),
  )
  const ping = readFileSync(new URL('../../events/github/ping.json', import.meta.url), 'utf8')
  /** The recorded alert, of now, changed by a test; each one another body. */
  const alert = (changes: Record<string, unknown> = {}, top: Record<string, unknown> = {}): string =>
    JSON.stringify({
      ...recorded,
      ...top,
      alert: { ...recorded.alert, updated_at: new Date().toISOString(), nonce: randomUUID(), ...changes },
    })
  const sign = (body: string, secret = HOOK_SECRET) =>
    `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const deliver = async (body: string, signature: string | undefined = sign(body), tenantUrl = acme) => {
    const response = await fetch(`${tenantUrl}/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'secret_scanning_alert',
        'x-github-delivery': randomUUID(),
        ...(signature === '' ? {} : { 'x-hub-signature-256': signature }),
      },
      body,
    })
    return { status: response.status, text: await response.text() }
  }

  test('a token of ours leaked: what the repository was given is dead, bytes that are not ASCII and all', async () => {
    const body = alert()
    expect((await deliver(body)).status).toBe(202)
    await settled()
    expect(inForce()).toMatchObject([
      {
        tenant: 'acme',
        kind: 'project',
        issuer: 'github',
        value: '7654321',
        form: 'cut',
        by: 'events/leaks',
        reason: 'secret_scanning_alert reported by leaks',
      },
    ])
    expect((await mint()).status).toBe(400)
    // Delivered again under another delivery id, as GitHub does when asked to.
    expect((await deliver(body)).status).toBe(202)
    await settled()
    expect(
      rows('SELECT body FROM revocation_order').filter((row) => String(row['body']).includes(recorded.alert.html_url)),
    ).toHaveLength(1)
    expect(rows('SELECT * FROM quarantined_message')).toEqual([])
  })

  test.each<[string, () => string, string]>([
    ['a secret that is none of ours', () => alert({ secret_type: 'slack_api_token' }), 'selects_nothing'],
    [
      'a repository of another account',
      () => alert({}, { repository: { ...recorded.repository, owner: { id: 7777777 } } }),
      'selects_nothing',
    ],
    ['another event', () => JSON.stringify({ action: 'opened', issue: {}, nonce: randomUUID() }), 'selects_nothing'],
    ['an alert that is closed', () => alert({}, { action: 'resolved' }), 'acknowledged'],
    ['where an alert is found', () => alert({}, { location: { type: 'commit' } }), 'acknowledged'],
    ['a ping', () => ping, 'acknowledged'],
  ])('recorded, and nothing is revoked: %s', async (_, body, outcome) => {
    expect((await deliver(body())).status).toBe(202)
    expect([lastOutcome(), inForce()]).toEqual([outcome, []])
  })

  test.each<[string, () => Promise<{ status: number }>, number]>([
    ['no signature', () => deliver(alert(), ''), 401],
    ['the signature of another secret', () => deliver(alert(), sign(alert(), 'guess')), 401],
    ['the signature of another body', () => deliver(alert(), sign(alert())), 401],
    ['a signature that is no hex', () => deliver(alert(), 'sha256=zz'), 401],
    ['the older SHA-1 form', () => deliver(alert(), `sha1=${'0'.repeat(40)}`), 401],
    ['a tenant that has no webhook', () => deliver(alert(), sign(alert()), globex), 401],
    ['an alert from before what is remembered', () => deliver(alert({ updated_at: '2020-01-01T00:00:00Z' })), 400],
    ['an alert of no repository', () => deliver(alert({}, { repository: null })), 400],
    ['a member twice', () => deliver(alert().replace('{', '{"action":"resolved",')), 400],
    ['no JSON', () => deliver('alert'), 400],
  ])('refused, and nothing is recorded or revoked: %s', async (_, ask, status) => {
    const before = rows('SELECT count(*) AS n FROM security_event')
    expect((await ask()).status).toBe(status)
    expect(rows('SELECT count(*) AS n FROM security_event')).toEqual(before)
    expect(inForce()).toEqual([])
  })
})

describe('the secret scanning partner program of GitHub', () => {
  const deliver = async (
    found: unknown,
    { key = partner, kid = key.kid, tamper = '' }: { key?: typeof partner; kid?: string; tamper?: string } = {},
    tenantUrl = acme,
  ) => {
    const body = JSON.stringify(found)
    const response = await fetch(`${tenantUrl}/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'github-public-key-identifier': kid,
        'github-public-key-signature': createSign('sha256').update(body).sign(key.privateKey, 'base64'),
      },
      body: body + tamper,
    })
    return { status: response.status, text: await response.text() }
  }
  const leaked = (token: string) => ({
    token,
    type: 'mintmark_access_token',
    url: 'https://github.com/x',
    source: 'content',
  })
  const tokenOf = async () => String((await mint({ run_id: randomUUID() })).body['access_token'])
  const payloadOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>

  test('tokens of ours that leaked: each credential is blocked with its assertion, and their signatures are kept nowhere', async () => {
    const tokens = [await tokenOf(), await tokenOf()]
    expect(await deliver(tokens.map(leaked))).toMatchObject({ status: 202, text: '' })
    await settled()
    const blocked = inForce().flatMap(({ kind, value }) => (kind === 'credential' ? [value] : []))
    expect(blocked.toSorted()).toEqual(tokens.map((token) => payloadOf(token)['jti']).toSorted())
    expect(inForce().filter(({ kind }) => kind === 'assertion')).toHaveLength(2)
    expect(inForce()[0]).toMatchObject({ by: 'events/partner', reason: 'token_leaked reported by partner' })
    const kept = JSON.stringify(
      rows('SELECT body FROM revocation_order UNION ALL SELECT body FROM quarantined_message'),
    )
    for (const token of tokens) {
      expect(kept).toContain(token.split('.')[1])
      expect(kept).not.toContain(token.split('.')[2])
    }
    expect((await deliver(tokens.map(leaked))).status).toBe(202)
    await settled()
    expect(rows('SELECT * FROM quarantined_message')).toEqual([])
  })

  test('a text that only looks like a token of ours revokes nothing: not with the jti of a true one either', async () => {
    const token = await tokenOf()
    const [header] = token.split('.')
    const forged = `${header}.${token.split('.')[1]}.${'A'.repeat(86)}`
    const resigned = signAssertion({ ...issuerKey('ES256'), kid: 'x' }, payloadOf(token), { typ: 'at+jwt' })
    for (const text of [forged, resigned, 'mintmark_token', signSet(idp, claimsFor())]) {
      expect((await deliver([leaked(text)])).status).toBe(202)
      expect(lastOutcome()).toBe('selects_nothing')
    }
    await settled()
    expect(inForce()).toEqual([])
  })

  test.each<[string, () => Promise<{ status: number }>, number]>([
    ['a body that was changed', () => deliver([leaked('x')], { tamper: ' ' }), 401],
    [
      'a key of somebody else under the id of the true one',
      () => deliver([leaked('x')], { key: issuerKey('ES256'), kid: partner.kid }),
      401,
    ],
    ['a key GitHub does not have', () => deliver([leaked('x')], { key: issuerKey('ES256') }), 400],
    ['a tenant that takes no such reports', () => deliver([leaked('x')], {}, globex), 401],
    ['no list', () => deliver({ token: 'x' }), 400],
    ['an entry without a token', () => deliver([{ type: 'x' }]), 400],
  ])('refused, and nothing is recorded: %s', async (_, ask, status) => {
    const before = rows('SELECT count(*) AS n FROM security_event')
    expect((await ask()).status).toBe(status)
    expect(rows('SELECT count(*) AS n FROM security_event')).toEqual(before)
  })

  test('the pattern of docs/revocation.md finds tokens of ours, without a prefix, and no other JWT', async () => {
    const docs = readFileSync(new URL('../../docs/revocation.md', import.meta.url), 'utf8')
    const pattern = new RegExp(/^eyJ0eXAiOiJhdCtqd3Q.+$/m.exec(docs)![0], 'g')
    // The pattern asks for an issuer with https, which a broker of this test has not.
    const token = signAssertion(
      partner,
      { ...payloadOf(await tokenOf()), iss: 'https://sts.example.com/t/acme' },
      { typ: undefined },
    )
    const header = Buffer.from(JSON.stringify({ typ: 'at+jwt', alg: 'ES256', kid: 'k'.repeat(43) })).toString(
      'base64url',
    )
    const ours = [header, ...token.split('.').slice(1)].join('.')
    const text = `TOKEN=${ours}\n${signAssertion(platform, githubClaims(acme))}\n${signSet(idp, claimsFor())}`
    expect(text.match(pattern)).toEqual([ours])
    expect((await tokenOf()).startsWith(header.slice(0, 40))).toBe(true)
  })
})
