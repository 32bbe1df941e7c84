// The real broker with every kind of event source, for two tenants that have the same transmitter.
import { createPublicKey } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { exchange, removeBroker, startBroker, temporaryDirectory } from './broker.ts'
import { githubClaims, issuerKey, signAssertion } from './evidence.ts'
import { startHostileServer } from './hostile-server.ts'
import { IDP, pushSet, setClaims, signSet } from './security-events.ts'
import { githubTenant, TARGET } from './tenants.ts'
import { COMES_WITHIN_MS } from './until.ts'

export const HOOK_SECRET = 'shared-with-github'
export const SUBJECT = 'spiffe://acme.example/ci/7654321/production'
export const platform = issuerKey('RS256')
export const idp = issuerKey('RS256')
/** Of the source that shows a secret as well. */
export const guarded = issuerKey('ES256')
/** GitHub's, of the partner program. */
export const partner = issuerKey('ES256')

const EVENTS = `
events:
  idp:
    issuer: ${IDP}
    jwks: { inline: ${JSON.stringify({ keys: [idp.jwk] })} }
    on:
      session-revoked:
        - { subject: opaque, revoke: subject }
        - { member: session, subject: opaque, revoke: run }
        - { member: user, subject: email, revoke: actor }
        - { subject: jwt_id, revoke: credential }
      credential-change: { subject: iss_sub, revoke: subject, action: cut }
      device-compliance-change: { subject: uri, revoke: subject }
      account-disabled: { subject: email, revoke: actor }
  leaks:
    type: github
    secret: { file: acme/github }
    secret_types: [mintmark_access_token]
    action: cut
  partner:
    type: github-partner
    keys_url: KEYS_URL
  guarded:
    issuer: https://guarded.example
    jwks: { inline: ${JSON.stringify({ keys: [guarded.jwk] })} }
    authorization: { file: acme/push }
    on: { session-revoked: { subject: opaque, revoke: subject } }
`

export const startEventBench = async () => {
  const secrets = temporaryDirectory()
  mkdirSync(join(secrets, 'acme'))
  writeFileSync(join(secrets, 'acme', 'push'), 'Bearer of-the-stream\n')
  writeFileSync(join(secrets, 'acme', 'github'), HOOK_SECRET)
  const keyList = await startHostileServer({
    '/keys': (response) => {
      const key = createPublicKey(partner.privateKey).export({ type: 'spki', format: 'pem' })
      const answer = { public_keys: [{ key_identifier: partner.kid, key, is_current: true }] }
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(answer))
    },
  })
  const broker = await startBroker({
    tenants: {
      acme: githubTenant('acme', { keys: [platform] }) + EVENTS.replace('KEYS_URL', keyList.url('/keys')),
      // The same transmitter with the same key: only the audience tells the tenants apart.
      globex:
        githubTenant('globex', { keys: [platform], orgId: '7777777' }) + EVENTS.slice(0, EVENTS.indexOf('  leaks:')),
    },
    args: ['--secrets', secrets],
  })
  const acme = `${broker.url}/t/acme`
  const claimsFor = (changes: Record<string, unknown> = {}) => setClaims(`${acme}/events`, changes)
  const database = () => new DatabaseSync(`${broker.dataDir}/mintmark.db`, { timeout: COMES_WITHIN_MS })
  const rows = (sql: string): readonly Record<string, unknown>[] => {
    const sqlite = database()
    const found = sqlite.prepare(sql).all()
    sqlite.close()
    return found
  }
  /** Every order on the queue is carried out, or quarantined. */
  const settled = () => expect.poll(() => rows('SELECT * FROM queue_message').length, { interval: 20 }).toBe(0)
  return {
    broker,
    acme,
    globex: `${broker.url}/t/globex`,
    claimsFor,
    rows,
    settled,
    mint: (claims: Record<string, unknown> = {}) =>
      exchange(acme, signAssertion(platform, githubClaims(acme, claims)), { audience: TARGET }),
    push: (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
      pushSet(acme, signSet(idp, claimsFor(changes), header)),
    inForce: () =>
      rows(
        'SELECT tenant, kind, issuer, value, form, by, reason FROM revocation WHERE lifted_at IS NULL ORDER BY rowid',
      ),
    lastOutcome: () => rows('SELECT outcome FROM security_event ORDER BY seq DESC LIMIT 1')[0]?.['outcome'],
    /** What unblock does, all at once. */
    async unblockAll() {
      await settled()
      const sqlite = database()
      sqlite.exec(`UPDATE store SET control_version = control_version + 1;
        UPDATE revocation SET lifted_at = 1, changed = (SELECT control_version FROM store) WHERE lifted_at IS NULL`)
      sqlite.close()
    },
    async close() {
      keyList.close()
      await removeBroker(broker)
    },
  }
}
