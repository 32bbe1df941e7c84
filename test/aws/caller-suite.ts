// What a tenant's own tokens may do on AWS: introspection, revocation, administration, and the feed that tells others. Run by
// lambda-e2e.test.ts on its deployment.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { FeedPage } from '../../lib/domain/revocation-feed.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { readStream } from '../support/dynamodb-local.ts'
import { TARGET } from '../support/tenants.ts'
import { callsOf } from './deployed-calls.ts'

const BASE = 'https://sts.example.com'

/** Grants of operators, by environment. */
export const OWN_GRANTS = ['reader: [introspect]', 'revoker: [revoke]', 'operator: [admin]', 'auditor: [audit:read]']
  .map((line) => {
    const [name, scope] = line.split(': ')
    return `
  ${name}:
    from: github
    match: { project.id: "7654321", environment.name: ${name} }
    identity: /ops/{project.id}/${name}
    issue: [{ type: access_token, audience: ["${BASE}/t/acme"], scope: ${scope}, ttl: 10m }]`
  })
  .join('\n')

type Minted = { readonly token: string; readonly jti: string }

export const callerSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { introspect, revokeToken, admin, fetchFrom, carryOut, lyingIn } = callsOf(deployed)
  const tokenOf = async (environment: string, run = '1', tenant = 'acme'): Promise<Minted> => {
    const audience = environment === 'production' ? TARGET : `${BASE}/t/${tenant}`
    const claims = evidence(tenant, { environment, run_id: run })
    const { status, body } = await deployed().exchange(tenant, claims, { audience })
    expect([status, body['error']]).toEqual([200, undefined])
    return { token: body['access_token']!, jti: body['decision_id']! }
  }
  const read = (text: string) => JSON.parse(text) as Record<string, unknown>
  const isActive = async (token: string, tenant = 'acme') => {
    const reader = await tokenOf('reader')
    return read((await introspect(tenant, token, reader.token)).body)['active']
  }

  describe('introspect', () => {
    test('tells a token that was signed a moment ago, by its record and no index, with the claims of RFC 7662', async () => {
      const { token, jti } = await tokenOf('production')
      const { statusCode, body } = await introspect('acme', token, (await tokenOf('reader')).token)
      expect(statusCode).toBe(200)
      expect(read(body)).toMatchObject({ active: true, iss: `${BASE}/t/acme`, aud: TARGET, jti })
    })

    test('says of a token of another tenant no more than that it is not active, and lets no token of it ask here', async () => {
      const theirs = await tokenOf('production', '1', 'globex')
      expect(await isActive(theirs.token)).toBe(false)
      expect((await introspect('acme', theirs.token, theirs.token)).statusCode).toBe(401)
    })

    test('refuses who has no right or no token, and the refusal is on its way to the log before the answer', async () => {
      const before = lyingIn('denials').length
      const { token } = await tokenOf('production')
      expect((await introspect('acme', token, token)).statusCode).toBe(401)
      expect(lyingIn('denials').length).toBeGreaterThan(before)
    })

    test('a holder ends its own token: the order carries it as its proof, revoke believes it, and it is not active any more', async () => {
      const { token } = await tokenOf('production')
      expect(await isActive(token)).toBe(true)
      expect((await revokeToken('acme', token, token)).statusCode).toBe(200)
      await carryOut()
      expect(await isActive(token)).toBe(false)
      expect(lyingIn('revoke-dlq')).toEqual([])
    })

    test('scope revoke ends one token of another holder, and without it nobody does', async () => {
      const [{ token }, other] = [await tokenOf('production'), await tokenOf('production')]
      expect((await revokeToken('acme', token, other.token)).statusCode).toBe(401)
      expect((await revokeToken('acme', token, (await tokenOf('revoker')).token)).statusCode).toBe(200)
      await carryOut()
      expect(await isActive(token)).toBe(false)
      expect(await isActive(other.token)).toBe(true)
    })
  })

  describe('admin', () => {
    const bearer = async () => (await tokenOf('operator')).token
    const block = (value: string, more: object = {}) => ({ kind: 'run', value, reason: 'runner compromised', ...more })

    test('shows what an order would hit, gives it, says when it is in force, and lifts it', async () => {
      const run = '424242'
      const { token, jti } = await tokenOf('production', run)
      const operator = await bearer()
      const dry = await admin('POST', 'revocations', { bearer: operator, json: block(run, { dry_run: true }) })
      expect(read(dry.body)).toMatchObject({
        kind: 'dry_run',
        hits: { credentials: 1, identities: 1, newest: [{ decisionId: jti }] },
      })
      expect(await isActive(token)).toBe(true)

      const given = await admin('POST', 'revocations', { bearer: operator, json: block(run) })
      expect(given.statusCode).toBe(202)
      const { id } = read(given.body)['order'] as { id: string }
      expect((await admin('GET', `orders/${id}`, { bearer: operator })).statusCode).toBe(404)
      await carryOut()
      const order = read((await admin('GET', `orders/${id}`, { bearer: operator })).body)
      expect(order).toMatchObject({ kind: 'in_force', applied: { revocations: [expect.any(String)] } })
      expect(await isActive(token)).toBe(false)
      const again = await deployed().exchange('acme', evidence('acme', { run_id: run }), { audience: TARGET })
      expect(again.status).toBe(400)

      const [revocation] = (order['applied'] as { revocations: string[] }).revocations
      const list = read((await admin('GET', 'revocations', { bearer: operator })).body)
      expect(list['revocations']).toContainEqual(expect.objectContaining({ id: revocation, value: run }))
      const lift = { bearer: operator, json: { reason: 'runner rebuilt' } }
      expect((await admin('POST', `revocations/${revocation}/unblock`, lift)).statusCode).toBe(202)
      await carryOut()
      await tokenOf('production', run)
      expect(lyingIn('revoke-dlq')).toEqual([])
    })

    test('explains an allow at once, a denial from the log, and that it did is in the log too', async () => {
      const { jti } = await tokenOf('production')
      const denied = await deployed().exchange('acme', 'not.a.jwt', { audience: TARGET })
      const operator = await bearer()
      const look = (id: string) => admin('GET', `decisions/${id}`, { bearer: operator })
      expect(read((await look(jti)).body)).toMatchObject({
        decision: { kind: 'allow' },
        explanation: expect.anything(),
      })
      await deployed().audit()
      expect(read((await look(denied.body['decision_id']!)).body)).toMatchObject({ decision: { kind: 'deny' } })
      expect((await look('01936d3e-7c1a-7b2f-9c4d-5e6f708192a3')).statusCode).toBe(404)
      const before = lyingIn('denials').length
      const reader = (await tokenOf('reader')).token
      expect((await admin('GET', `decisions/${jti}`, { bearer: reader })).statusCode).toBe(403)
      expect(lyingIn('denials').length).toBeGreaterThan(before)
      const looks = (await readStream('mintmark-core')).filter(({ dynamodb }) =>
        JSON.stringify(dynamodb?.Keys).includes('#LU#'),
      )
      expect(looks.length).toBeGreaterThanOrEqual(2)
    })
  })

  describe('the revocation feed', () => {
    /** As an independent verifier reads it: the signal key set of the tenant, the type, the issuer. */
    const page = async (tenant: string, since = 0): Promise<FeedPage> => {
      const { statusCode, headers, body } = await fetchFrom(`/t/${tenant}/revocations`, `since=${since}`)
      expect([statusCode, headers['cache-control']]).toEqual([200, expect.stringContaining('public, max-age=')])
      const signal = JSON.parse((await fetchFrom(`/t/${tenant}/signal-jwks.json`)).body)
      const options = { issuer: `${BASE}/t/${tenant}`, typ: 'mintmark-revocations+jwt' }
      return (await jwtVerify(body, createLocalJWKSet(signal), options)).payload as unknown as FeedPage
    }
    const handles = (text: string): string[] => text.match(/.{16}/g) ?? []

    test('names what is revoked by the handles of the token, in a page signed by the signal key, and then what is lifted', async () => {
      const run = '515151'
      const operator = (await tokenOf('operator')).token
      const rh = decodeJwt((await tokenOf('production', run)).token)['rh'] as string[]
      const before = await page('acme')
      const order = { kind: 'run', value: run, reason: 'leaked' }
      expect((await admin('POST', 'revocations', { bearer: operator, json: order })).statusCode).toBe(202)
      await carryOut()
      const delta = await page('acme', before.seq)
      expect(delta).toMatchObject({ since: before.seq, seq: before.seq + 1, next: before.seq + 1 })
      expect(handles(delta.block)).toEqual([expect.toSatisfy((handle: string) => rh.includes(handle))])

      const { revocations } = read((await admin('GET', 'revocations', { bearer: operator })).body) as {
        revocations: readonly { id: string; value: string }[]
      }
      const { id } = revocations.find(({ value }) => value === run)!
      const lift = { bearer: operator, json: { reason: 'found' } }
      expect((await admin('POST', `revocations/${id}/unblock`, lift)).statusCode).toBe(202)
      await carryOut()
      const lifted = await page('acme', delta.seq)
      expect([lifted.block, lifted.lift]).toEqual(['', delta.block])
      expect(handles((await page('acme')).block)).not.toContain(delta.block)
    })

    test('of a tenant without revocations is signed and empty, also where the key never leaves KMS', async () => {
      expect(await page('vault')).toMatchObject({ seq: 0, next: 0, block: '', cut: '', lift: '' })
    })

    test('no key of it verifies a token, and none of tokens a page', async () => {
      const kids = async (path: string) =>
        (JSON.parse((await fetchFrom(path)).body).keys as readonly { kid: string }[]).map(({ kid }) => kid)
      const [tokens, signals] = [await kids('/t/acme/jwks.json'), await kids('/t/acme/signal-jwks.json')]
      // That of the feed, and that of SETs.
      expect(signals).toHaveLength(2)
      expect(tokens.filter((kid) => signals.includes(kid))).toEqual([])
    })

    test('of no tenant is 404, and one spelling of the query is served', async () => {
      expect((await fetchFrom('/t/nobody/revocations')).statusCode).toBe(404)
      expect((await fetchFrom('/t/acme/revocations', 'since=01')).statusCode).toBe(400)
    })
  })
}
