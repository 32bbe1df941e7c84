// The offline verifier beside a real broker (design P6): what is revoked there is denied here, and without the broker it lets
// nobody in beyond its bound.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { REVOCATION_KINDS } from '../../lib/domain/revocation.ts'
import { createVerifier, type Verifier } from '../../lib/verify/verifier.ts'
import { exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { handClock } from '../support/own-keys.ts'
import { TARGET } from '../support/tenants.ts'
import { startTwoTenants } from '../support/two-tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
beforeAll(async () => {
  ;({ broker, acme } = await startTwoTenants(key))
})
afterAll(() => removeBroker(broker))

const verifierOf = (more: Partial<Parameters<typeof createVerifier>[0]> = {}) =>
  createVerifier({ issuer: acme, audience: TARGET, ...more })
const verdict = async (verifier: Verifier, token: string) => {
  const judged = await verifier.verify(token)
  return judged.ok ? 'ok' : judged.reason
}
const mint = async (tenantUrl = acme, claims: Record<string, unknown> = {}, target = TARGET) => {
  const answer = await exchange(tenantUrl, signAssertion(key, githubClaims(tenantUrl, claims)), { audience: target })
  return { token: String(answer.body['access_token']), jti: String(answer.body['decision_id']) }
}
const operate = async (run: typeof revoke, ...args: string[]) => {
  const io = captureIo()
  expect(await run([...args, '--data', broker.dataDir, '--json'], io), io.err()).toBe(0)
  return JSON.parse(io.out()) as Record<string, unknown>
}

test('a token of either algorithm is accepted, with its claims; of another tenant or for another audience it is not', async () => {
  const verifier = verifierOf()
  const { token, jti } = await mint()
  const judged = await verifier.verify(token)
  expect(judged).toMatchObject({ ok: true, token: { jti, audience: TARGET, scope: ['deploy:read', 'deploy:write'] } })
  const legacy = await mint(acme, {}, 'https://legacy.acme.example')
  expect(await verdict(verifierOf({ audience: 'https://legacy.acme.example' }), legacy.token)).toBe('ok')
  expect(await verdict(verifier, legacy.token)).toBe('wrong_audience')
  const theirs = await mint(`${broker.url}/t/globex`, { repository_owner_id: '7777777' })
  expect(await verdict(verifier, theirs.token)).toBe('wrong_issuer')
})

const SELECTORS: Readonly<Record<keyof typeof REVOCATION_KINDS, ((minted: Minted) => string[]) | null>> = {
  credential: ({ jti }) => ['--jti', jti],
  assertion: ({ assertion }) => ['--assertion', assertion],
  subject: () => ['--sub', 'spiffe://acme.example/ci/7654321/production'],
  run: () => ['--run', '987654321'],
  project: () => ['--project', '7654321'],
  actor: () => ['--actor', '42'],
  issuer: () => ['--issuer', 'github'],
  issuer_key: () => ['--issuer-key', key.kid],
  own_key: ({ kid }) => ['--own-key', kid],
  grant: () => ['--grant', 'deploy-prod'],
  session: null, // an access token has none
  tenant: () => ['--all'],
}
type Minted = { readonly jti: string; readonly kid: string; readonly assertion: string }

test.each(Object.keys(REVOCATION_KINDS).filter((kind) => SELECTORS[kind as 'run'] !== null))(
  'revoking by %s reaches the verifier through the feed, and so does its unblocking',
  async (kind) => {
    const verifier = verifierOf()
    const { token, jti } = await mint()
    expect(await verdict(verifier, token)).toBe('ok')
    const would = await operate(revoke, '--tenant', 'acme', '--jti', jti, '--dry-run')
    const assertion = (would['order'] as { selectors: { value: string }[] }).selectors[1]!.value
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }
    const args = SELECTORS[kind as 'run']!({ jti, kid, assertion })
    const done = await operate(revoke, '--tenant', 'acme', '--reason', 'x', ...args)
    await verifier.refresh()
    expect(await verdict(verifier, token)).toBe('revoked')
    for (const id of done['revocations'] as string[]) await operate(unblock, id, '--reason', 'over')
    await verifier.refresh()
    expect(await verdict(verifier, token)).toBe('ok')
  },
)

test('a cut denies what is out, for good', async () => {
  const verifier = verifierOf()
  const { token } = await mint(acme, { run_id: '42' })
  expect(await verdict(verifier, token)).toBe('ok')
  await operate(revoke, '--tenant', 'acme', '--reason', 'x', '--actor', '42', '--cut')
  await verifier.refresh()
  expect(await verdict(verifier, token)).toBe('revoked')
})

test('cut off from the broker it goes on for its bound and not longer; a new one lets nobody in', async () => {
  const claims = { actor_id: '4711' }
  const { token } = await mint(acme, claims)
  // By its clock, and not by how long the broker takes to stop.
  const clock = handClock(Math.floor(Date.now() / 1000))
  const verifier = verifierOf({ boundSeconds: 3, clock })
  expect(await verdict(verifier, token)).toBe('ok')
  await broker.stop()
  clock.add(1)
  expect(await verdict(verifier, token)).toBe('ok')
  clock.add(2)
  await expect.poll(() => verdict(verifier, token)).toBe('view_stale')
  expect(verifier.status().ageSeconds).toBeGreaterThanOrEqual(3)
  expect(await verdict(verifierOf(), token)).not.toBe('ok')
})
