// A broker whose clock goes back by half an hour while it runs (design §3, Clock).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { call, operatorTenant, tokenOf } from '../support/operators.ts'
import { TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const AHEAD_SECONDS = 1_800

const timesAhead = () => {
  const iat = Math.floor(Date.now() / 1000) + AHEAD_SECONDS
  return { iat, nbf: iat, exp: iat + 300 }
}

test('nothing is minted, no token that had expired is active again, and sinks still get what happens', async () => {
  const key = issuerKey('RS256')
  const port = await freePort()
  const acme = `http://127.0.0.1:${port}/t/acme`
  const sinks = 'sinks:\n  local: { type: jsonl, path: acme-audit.jsonl }\n'
  const options = {
    tenants: { acme: `${operatorTenant('acme', acme, key, '1234567')}\n${sinks}` },
    args: ['--port', String(port)],
    dataDir: join(temporaryDirectory(), 'data'),
  }
  const before = await startBroker(options)
  const deploy = await tokenOf(acme, { key, right: 'deploy' })
  const reader = await tokenOf(acme, { key, right: 'reader' })
  const introspect = (bearer: string) => call(`${acme}/introspect`, { bearer, form: { token: deploy.token } })
  expect(JSON.parse((await introspect(reader.token)).text)).toMatchObject({ active: true })
  await before.stop()

  const broker = await startBroker({ ...options, env: { NODE_OPTIONS: '--import ./test/support/stepped-clock.ts' } })
  onTestFinished(() => removeBroker(broker))
  const later = await tokenOf(acme, { key, right: 'reader', claims: timesAhead() })
  expect(JSON.parse((await introspect(later.token)).text)).toEqual({ active: false })
  const received = () => readFileSync(join(broker.dataDir, 'acme-audit.jsonl'), 'utf8')
  await expect.poll(received).toContain(later.jti)

  broker.child.kill('SIGUSR2')
  const told = await until(
    'a broker that has seen its clock go back',
    () => introspect(reader.token),
    ({ status }) => status === 503,
  )
  expect(told.headers.get('retry-after')).toBe('30')
  const denied = await exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET })
  expect(denied.status).toBe(503)
  await expect.poll(received).toContain(String(denied.body['decision_id']))
})
