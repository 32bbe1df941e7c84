// JWT-SVIDs as SPIRE writes them (JWT-SVID §3): iss is optional, and the bundle of one trust domain vouches for no other.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { issuerKey, signAssertion } from '../support/evidence.ts'
import { TARGET } from '../support/tenants.ts'

const key = issuerKey('ES256')
const otherKey = issuerKey('ES256')
let broker: RunningBroker
let url: string

const issuer = (domain: string, own: typeof key) => `
  ${domain.split('.')[0]}:
    provider: spiffe
    issuer: spiffe://${domain}
    org_id: ${domain}
    jwks: { inline: ${JSON.stringify({ keys: [{ ...own.jwk, use: 'jwt-svid' }] })} }`

beforeAll(async () => {
  const acme = `tenant: acme
trust_domain: acme.example
issuers:${issuer('prod.acme.example', key)}${issuer('stage.acme.example', otherKey)}
grants:
  pay:
    from: prod
    match: { project.id: spiffe://prod.acme.example/ns/pay/sa/api }
    identity: /ns/pay/sa/api
    issue: [{ type: access_token, audience: [${TARGET}], scope: [pay] }]
`
  broker = await startBroker({ tenants: { acme } })
  url = `${broker.url}/t/acme`
})
afterAll(() => removeBroker(broker))

const svid = (changes: Record<string, unknown> = {}, by = key) => {
  const now = Math.floor(Date.now() / 1000)
  const sub = 'spiffe://prod.acme.example/ns/pay/sa/api'
  return signAssertion(by, { sub, aud: [url], iat: now, exp: now + 300, ...changes })
}
const ask = (assertion: string) => exchange(url, assertion, { audience: TARGET })

test('a JWT-SVID without iss is evidence of the trust domain of its sub; with that as iss it is too', async () => {
  expect((await ask(svid())).status).toBe(200)
  expect((await ask(svid({ iss: 'spiffe://prod.acme.example' }))).status).toBe(200)
})

test.each([
  ['signed by the bundle of another trust domain', () => svid({}, otherKey)],
  ['of another trust domain, in its own words', () => svid({ iss: 'spiffe://stage.acme.example' }, otherKey)],
  ['of a trust domain nobody registered', () => svid({ sub: 'spiffe://evil.example/ns/pay/sa/api' })],
  ['with an empty iss', () => svid({ iss: '' })],
  ['with another iss', () => svid({ iss: 'https://prod.acme.example' })],
])('a JWT-SVID %s is refused', async (_, assertion) => {
  const { status, body } = await ask(assertion())
  expect([status, body['error']]).toEqual([400, 'invalid_request'])
})
