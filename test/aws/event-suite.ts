// Security events on AWS, each to the row that mint reads: SETs and webhooks over HTTP, findings through EventBridge's queue. Run
// by lambda-e2e.test.ts on its deployment.
import { createHmac, createPublicKey, createSign, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Deployed } from '../support/aws/deployed.ts'
import { type IssuerKey, issuerKey } from '../support/evidence.ts'
import { IDP, setClaims, signSet } from '../support/security-events.ts'
import { TARGET } from '../support/tenants.ts'
import { callsOf } from './deployed-calls.ts'

const BASE = 'https://sts.example.com'
const SUBJECT = 'spiffe://acme.example/ci/7654321/production'
const HOOK_SECRET = 'shared-with-github'
const idp = issuerKey('RS256')
const guarded = issuerKey('ES256')
const partner = issuerKey('ES256')

export const EVENT_SOURCES = `
events:
  idp:
    issuer: ${IDP}
    jwks: { inline: ${JSON.stringify({ keys: [idp.jwk] })} }
    on: { session-revoked: { member: session, subject: opaque, revoke: run } }
  guarded:
    issuer: https://guarded.example
    jwks: { url: https://guarded.example/keys }
    authorization: { file: acme/push }
    on: { session-revoked: { subject: opaque, revoke: subject, action: cut } }
  leaks:
    type: github
    secret: { file: acme/github }
    secret_types: [mintmark_access_token]
    action: cut
  partner:
    type: github-partner
  cloud: { type: aws, min_severity: medium, calls: ["cloudtrail:StopLogging"], revoke: run }
`

/** In Secrets Manager. */
export const EVENT_SECRETS = { 'mintmark/acme/push': 'Bearer of-the-stream', 'mintmark/acme/github': HOOK_SECRET }

/** What the transmitter with a key set answers trust. */
export const guardedKeys = () => ({ keys: [guarded.jwk] })
/** What GitHub does. */
export const partnerKeys = () => {
  const key = createPublicKey(partner.privateKey).export({ type: 'spki', format: 'pem' })
  return { public_keys: [{ key_identifier: partner.kid, key, is_current: true }] }
}

export const eventSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { push, find, carryOut, lyingIn } = callsOf(deployed)
  const exchangeOf = (run: string) =>
    deployed().exchange('acme', evidence('acme', { run_id: run }), { audience: TARGET })
  const pushSigned = (key: IssuerKey, claims: Record<string, unknown>, tenant = 'acme', headers = {}) =>
    push(tenant, signSet(key, setClaims(`${BASE}/t/acme/events`, claims)), {
      'content-type': 'application/secevent+jwt',
      ...headers,
    })
  const nothingQuarantined = () =>
    expect([lyingIn('revoke-dlq'), lyingIn('findings-dlq')], 'nothing is quarantined').toEqual([[], []])

  describe('a SET', () => {
    const session = (id: string) => ({ format: 'complex', session: { format: 'opaque', id } })

    test('is taken with 202, and what it reports is denied at the next exchange, in its tenant alone', async () => {
      expect((await exchangeOf('610001')).status).toBe(200)
      expect((await pushSigned(idp, { sub_id: session('610001') })).statusCode).toBe(202)
      await carryOut()
      expect((await exchangeOf('610001')).status).toBe(400)
      expect((await exchangeOf('610002')).status).toBe(200)
      nothingQuarantined()
    })

    test('of a stream with a secret needs the secret, which only Secrets Manager has', async () => {
      const claims = { iss: 'https://guarded.example', sub_id: { format: 'opaque', id: `${SUBJECT}-other` } }
      expect((await pushSigned(guarded, claims)).statusCode).toBe(401)
      const shown = { authorization: 'Bearer of-the-stream' }
      expect((await pushSigned(guarded, claims, 'acme', shown)).statusCode).toBe(202)
      await carryOut()
      nothingQuarantined()
    })

    test('that somebody else signed, or is for another tenant, is refused and orders nothing', async () => {
      expect((await pushSigned(issuerKey('RS256'), { sub_id: session('610003') })).statusCode).toBe(400)
      expect((await pushSigned(idp, { sub_id: session('610003') }, 'globex')).statusCode).toBe(400)
      expect(lyingIn('revoke')).toEqual([])
    })
  })

  describe('GitHub', () => {
    test('a webhook, by the secret in Secrets Manager: the repository is cut, judged by revoke once more', async () => {
      const file = new URL('../../events/github/secret-scanning-alert-created.json', import.meta.url)
      const recorded = JSON.parse(readFileSync(file, 'utf8'))
      const alert = { ...recorded.alert, updated_at: new Date().toISOString(), nonce: randomUUID() }
      // Another project than the one that the rest of this file deploys.
      const repository = { ...recorded.repository, id: 4444444 }
      const body = JSON.stringify({ ...recorded, repository, alert })
      const signature = createHmac('sha256', HOOK_SECRET).update(body).digest('hex')
      const headers = { 'content-type': 'application/json', 'x-github-event': 'secret_scanning_alert' }
      const deliver = (tenant: string, hex = signature) =>
        push(tenant, body, { ...headers, 'x-hub-signature-256': `sha256=${hex}` })
      expect(
        (
          await deliver(
            'acme',
            signature.replace(/^./, (c) => (c === '0' ? '1' : '0')),
          )
        ).statusCode,
      ).toBe(401)
      expect((await deliver('globex')).statusCode).toBe(401)
      expect((await deliver('acme')).statusCode).toBe(202)
      await carryOut()
      expect(await deployed().inForce('acme')).toContainEqual(
        expect.objectContaining({ kind: 'project', value: '4444444', form: 'cut', by: 'events/leaks' }),
      )
      nothingQuarantined()
    })

    test('a token of ours that it found, by a key that only trust can fetch: the credential is blocked', async () => {
      const { body } = await exchangeOf('610004')
      const found = JSON.stringify([{ token: body['access_token'], type: 'mintmark_access_token', url: 'https://x' }])
      const answer = await push('acme', found, {
        'content-type': 'application/json',
        'github-public-key-identifier': partner.kid,
        'github-public-key-signature': createSign('sha256').update(found).sign(partner.privateKey, 'base64'),
      })
      expect([answer.statusCode, answer.body]).toEqual([202, ''])
      // A key that is not known yet may be new: trust is asked, and only then it is refused.
      const unknown = { 'github-public-key-identifier': 'new', 'github-public-key-signature': 'MAYCAQECAQE=' }
      const refused = await push('acme', found, { 'content-type': 'application/json', ...unknown })
      expect(refused.statusCode).toBeGreaterThanOrEqual(400)
      await carryOut()
      expect(await deployed().inForce('acme')).toContainEqual(
        expect.objectContaining({ kind: 'credential', value: body['decision_id'], by: 'events/partner' }),
      )
      nothingQuarantined()
    })
  })

  describe('a finding of AWS, as it was recorded, of a session we opened', () => {
    const openSession = async (run: string) => {
      const form = { requested_token_type: 'urn:mintmark:token-type:aws-credentials', grant: 'aws' }
      const { status, body } = await deployed().exchange('acme', evidence('acme', { run_id: run }), form)
      expect(status).toBe(200)
      return body['decision_id']!
    }
    const recorded = (name: string, session: string, account = '111122223333') =>
      readFileSync(new URL(`../../events/aws/${name}.json`, import.meta.url), 'utf8')
        .replaceAll('444455556666', account)
        .replaceAll('01936d3e7c1a7b2f9c4d5e6f708192a3', session.replaceAll('-', ''))
        .replaceAll('01936d3e-7c1a-7b2f-9c4d-5e6f708192a3', session)

    test.each([
      ['guardduty-anomalous-behavior', '620001'],
      ['guardduty-attack-sequence', '620002'],
      ['securityhub-imported', '620003'],
      ['securityhub-v2', '620004'],
      ['cloudtrail-stop-logging', '620005'],
    ])('%s: its run is blocked for mint', async (name, run) => {
      const session = await openSession(run)
      expect((await exchangeOf(run)).status).toBe(200)
      await find(recorded(name, session))
      await carryOut()
      expect(await deployed().inForce('acme')).toContainEqual(
        expect.objectContaining({ kind: 'run', value: run, by: 'events/cloud' }),
      )
      expect((await exchangeOf(run)).status).toBe(400)
      nothingQuarantined()
    })

    test('in an account of nobody, or brought by somebody who is not events, revokes nothing', async () => {
      const session = await openSession('620006')
      await find(recorded('guardduty-anomalous-behavior', session, '999999999999'))
      expect(lyingIn('revoke')).toEqual([])
      expect((await exchangeOf('620006')).status).toBe(200)
    })
  })
}
