// What every host of the broker lets a tenant's own tokens do over HTTP, and transmitters of events, whatever runs behind it: the
// embedded server and the AWS functions are held to this one suite. Its tenants are `callerTenant`, acme and globex.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { FeedPage } from '../../lib/domain/revocation-feed.ts'
import { patientExchange } from './broker.ts'
import { githubClaims, type IssuerKey, issuerKey, signAssertion } from './evidence.ts'
import { call, tokenOf } from './operators.ts'
import { IDP, pushSet, setClaims, signSet } from './security-events.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from './tenants.ts'
import { COMES_WITHIN_MS, until } from './until.ts'

const idp = issuerKey('RS256')

/** `issuerUrl`: known before the broker runs, since grants name it. */
export const callerTenant = (tenant: string, issuerUrl: string, key: IssuerKey, orgId: string): string => {
  const rights = (['introspect', 'admin'] as const).map(
    (scope) => `
  ${scope === 'admin' ? 'operator' : 'reader'}:
    from: github
    match: { project.id: "7654321", environment.name: ${scope === 'admin' ? 'operator' : 'reader'} }
    identity: /ops/{project.id}/${scope}
    issue: [{ type: access_token, audience: ["${issuerUrl}"], scope: [${scope}], ttl: 10m }]`,
  )
  const events = `
events:
  idp:
    issuer: ${IDP}
    jwks: { inline: ${JSON.stringify({ keys: [idp.jwk] })} }
    on: { session-revoked: { member: session, subject: opaque, revoke: run } }
`
  return githubTenant(tenant, { keys: [key], orgId, grants: DEPLOY_GRANT + rights.join('\n') }) + events
}

/** `targetOf` is called within tests, when the target is up. */
export const callerHttpSuite = (targetOf: () => { readonly url: string; readonly key: IssuerKey }): void => {
  const acme = () => `${targetOf().url}/t/acme`
  const globex = () => `${targetOf().url}/t/globex`
  const mint = (run: string) =>
    patientExchange(acme(), signAssertion(targetOf().key, githubClaims(acme(), { run_id: run })), { audience: TARGET })
  const tokenOfRun = async (run: string) => String((await mint(run)).body['access_token'])
  const bearerOf = async (right: 'reader' | 'operator') => (await tokenOf(acme(), { key: targetOf().key, right })).token
  /** An emulator's first decisions may come too late: 503, and then asked again. */
  const asked = (...args: Parameters<typeof call>) =>
    until(
      `an answer of ${args[0]}`,
      () => call(...args),
      ({ status }) => status !== 503,
    )
  const isActive = async (token: string, bearer: string): Promise<boolean> =>
    JSON.parse((await asked(`${acme()}/introspect`, { bearer, form: { token } })).text).active
  const eventually = (what: () => Promise<unknown>) => expect.poll(what, { interval: 250 })
  const page = async (since = 0): Promise<FeedPage> => {
    const { text } = await asked(`${acme()}/revocations?since=${since}`, {})
    const signal = createRemoteJWKSet(new URL(`${acme()}/signal-jwks.json`), { timeoutDuration: COMES_WITHIN_MS })
    return (await jwtVerify(text, signal, { issuer: acme(), typ: 'mintmark-revocations+jwt' }))
      .payload as unknown as FeedPage
  }

  describe('introspection and revocation', () => {
    test('a token is told to who may know it, then ended by its holder, and told to nobody else', async () => {
      const [token, reader] = [await tokenOfRun('700001'), await bearerOf('reader')]
      const told = await asked(`${acme()}/introspect`, { bearer: reader, form: { token } })
      expect([told.status, JSON.parse(told.text)]).toMatchObject([200, { active: true, iss: acme(), aud: TARGET }])
      expect((await asked(`${acme()}/introspect`, { form: { token } })).status).toBe(401)
      expect((await asked(`${acme()}/introspect`, { bearer: token, form: { token } })).status).toBe(401)
      expect((await asked(`${globex()}/introspect`, { bearer: reader, form: { token } })).status).toBe(401)
      expect((await asked(`${acme()}/revoke`, { bearer: token, form: { token } })).status).toBe(200)
      await eventually(() => isActive(token, reader)).toBe(false)
    })
  })

  describe('administration', () => {
    test('a dry run changes nothing; an order is in force when it says so, in the feed as well, and is lifted', async () => {
      const run = '700002'
      const [token, bearer, reader] = [await tokenOfRun(run), await bearerOf('operator'), await bearerOf('reader')]
      const before = await page()
      const json = { kind: 'run', value: run, reason: 'runner compromised' }
      const dry = await asked(`${acme()}/admin/revocations`, { bearer, json: { ...json, dry_run: true } })
      expect(JSON.parse(dry.text)).toMatchObject({ kind: 'dry_run', hits: { credentials: 1 } })
      expect(await isActive(token, reader)).toBe(true)

      const given = await asked(`${acme()}/admin/revocations`, { bearer, json })
      expect(given.status).toBe(202)
      const { id } = JSON.parse(given.text).order
      const inForce = () => asked(`${acme()}/admin/orders/${id}`, { bearer })
      await eventually(async () => (await inForce()).status).toBe(200)
      const [revocation] = JSON.parse((await inForce()).text).applied.revocations
      expect(await isActive(token, reader)).toBe(false)
      expect((await mint(run)).status).toBe(400)
      const delta = await page(before.seq)
      expect(decodeJwt(token)['rh']).toContain(delta.block)

      const lift = { bearer, json: { reason: 'runner rebuilt' } }
      expect((await asked(`${acme()}/admin/revocations/${revocation}/unblock`, lift)).status).toBe(202)
      await eventually(async () => (await mint(run)).status).toBe(200)
      expect((await page(delta.seq)).lift).toBe(delta.block)
    })

    test('a decision is told with every condition, to an operator of its tenant alone', async () => {
      const { body } = await mint('700003')
      const look = (tenantUrl: string, bearer: string) =>
        asked(`${tenantUrl}/admin/decisions/${body['decision_id']}`, { bearer })
      const told = await look(acme(), await bearerOf('operator'))
      expect([told.status, JSON.parse(told.text).decision.kind]).toEqual([200, 'allow'])
      expect((await look(acme(), await bearerOf('reader'))).status).toBe(403)
      expect((await look(globex(), await bearerOf('operator'))).status).toBe(401)
    })
  })

  describe('security events', () => {
    const sub_id = { format: 'complex', session: { format: 'opaque', id: '700004' } }
    const set = (tenantUrl: string) => signSet(idp, setClaims(`${tenantUrl}/events`, { sub_id }))
    const push = (tenantUrl: string, text: string) =>
      until(
        'an answer to a SET',
        () => pushSet(tenantUrl, text),
        ({ status }) => status !== 503,
      )

    test('a SET is taken with 202 and denied soon after, in its tenant; one for another tenant is refused', async () => {
      expect((await mint('700004')).status).toBe(200)
      expect((await push(acme(), set(globex()))).status).toBe(400)
      const pushed = await push(acme(), set(acme()))
      expect([pushed.status, pushed.body]).toEqual([202, null])
      await eventually(async () => (await mint('700004')).status).toBe(400)
    })
  })

  test('metadata names these endpoints, and the resource says where its tokens come from (RFC 9728)', async () => {
    const at = (kind: string) => acme().replace('/t/', `/.well-known/${kind}/t/`)
    const metadata = await asked(at('oauth-authorization-server'), {})
    expect(JSON.parse(metadata.text)).toMatchObject({
      introspection_endpoint: `${acme()}/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer', 'DPoP'],
      revocation_endpoint: `${acme()}/revoke`,
      revocation_endpoint_auth_methods_supported: ['Bearer', 'DPoP'],
    })
    const resource = await asked(at('oauth-protected-resource'), {})
    expect(JSON.parse(resource.text)).toMatchObject({ resource: acme(), authorization_servers: [acme()] })
  })
}
