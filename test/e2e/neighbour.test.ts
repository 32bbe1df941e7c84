// A neighbour that hammers: it is told to wait, and nobody else notices (attacks §6 L1-L4). Sources are real loopback
// addresses. How long the others wait is measured by `npm run bench -- --neighbour`.
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { EXCHANGE, JWT_TYPE, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS, until } from '../support/until.ts'

const key = issuerKey('RS256')
/** Enough repositories that the tenant's limit is met before theirs. */
const PROJECTS = Array.from({ length: 8 }, (_, at) => String(7_000_000 + at))
/** Exchanges of the quiet tenant: one is enough to see a bucket that is shared, which stays empty. */
const QUIET = 30
/** A tenth of what is shipped: a slow machine goes over that too. */
const RATES = { sourceRate: [2, 60], tenantRate: [10, 100] } as const
const GRANT = DEPLOY_GRANT.replace('"7654321"', JSON.stringify(PROJECTS))

/** Answers that named a decision and issued nothing, of each tenant. */
const refusals: Record<string, number> = {}
/** Denials of a tenant that are on record, in full or counted. */
const onRecord = (tenant: string): number => {
  const database = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { readOnly: true, timeout: COMES_WITHIN_MS })
  const full = 'SELECT count(*) AS n FROM denial WHERE tenant = ?'
  const counted = 'SELECT coalesce(sum(count), 0) AS n FROM denial_roll_up WHERE tenant = ?'
  const sum = [full, counted].reduce((total, sql) => total + Number(database.prepare(sql).get(tenant)?.['n']), 0)
  database.close()
  return sum
}

let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker({
    tenants: {
      loud: githubTenant('loud', { keys: [key], grants: GRANT }),
      quiet: githubTenant('quiet', { keys: [key], orgId: '7777777', grants: GRANT }),
    },
    env: {
      NODE_OPTIONS: '--import ./test/support/other-limits.ts',
      MINTMARK_TEST_LIMITS: JSON.stringify(RATES),
    },
  })
})
afterAll(() => removeBroker(broker))

/** One client at one address; each of its connections asks for the next thing when it has its answer. */
const clientAt = (localAddress: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, localAddress })
  onTestFinished(() => agent.destroy())
  return (tenant: string, assertion: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const body = new URLSearchParams({
        grant_type: EXCHANGE,
        subject_token: assertion,
        subject_token_type: JWT_TYPE,
        audience: TARGET,
      }).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }
      request(`${broker.url}/t/${tenant}/token`, { method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.once('end', () => {
          const { statusCode = 0 } = response
          if (statusCode !== 200 && text.includes('"decision_id"')) refusals[tenant] = (refusals[tenant] ?? 0) + 1
          resolve(statusCode)
        })
      })
        .once('error', reject)
        .end(body)
    })
}
const evidenceOf = (tenant: string, at: number): string =>
  signAssertion(
    key,
    githubClaims(`${broker.url}/t/${tenant}`, {
      repository_id: PROJECTS[at % PROJECTS.length],
      repository_owner_id: tenant === 'quiet' ? '7777777' : '1234567',
    }),
  )

/** Runs `hammer` over and over while the quiet tenant makes its exchanges, and gives back how both were answered, and for how long. */
const beside = async (hammer: (turn: number) => Promise<number>, quietAt: string) => {
  const quiet = clientAt(quietAt)
  const loud: number[] = []
  let isOver = false
  const began = performance.now()
  const hammering = Array.from({ length: 8 }, async () => {
    while (!isOver) loud.push(await hammer(loud.length))
  })
  // The burst first: from then on every request of the loud one is over its quota.
  await until(
    'a refusal of the loud tenant',
    () => loud,
    (answers) => answers.includes(429),
  )
  const statuses: number[] = []
  for (let at = 0; at < QUIET; at += 1) statuses.push(await quiet('quiet', evidenceOf('quiet', at)))
  isOver = true
  await Promise.all(hammering)
  return { loud, quiet: statuses, seconds: (performance.now() - began) / 1_000 }
}

test('a source far over its limit is refused, and a neighbour at another address never is', async () => {
  const loud = clientAt('127.0.0.2')
  const answers = await beside(() => loud('loud', 'no token'), '127.0.0.3')
  expect(answers.quiet).toEqual(Array(QUIET).fill(200))
  // All but its burst, and what the bucket refilled in the meantime.
  const [perSecond, burst] = RATES.sourceRate
  const read = answers.loud.filter((status) => status !== 429).length
  expect(read).toBeLessThanOrEqual(burst + perSecond * answers.seconds + 1)
})

test('a tenant far over its limit, from many addresses with good evidence, is refused; its neighbour never is', async () => {
  const clients = Array.from({ length: 64 }, (_, at) => clientAt(`127.0.4.${at + 1}`))
  const evidence = Array.from({ length: 2 * RATES.tenantRate[1] }, (_, at) => evidenceOf('loud', at))
  // Once the quota is gone the same evidence will do: it is refused before its replay is looked for.
  const hammer = (turn: number) => clients[turn % clients.length]!('loud', evidence[turn % evidence.length]!)
  const answers = await beside(hammer, '127.0.0.4')
  expect(answers.quiet).toEqual(Array(QUIET).fill(200))
  const [perSecond, burst] = RATES.tenantRate
  const issued = answers.loud.filter((status) => status === 200).length
  expect(issued).toBeLessThanOrEqual(burst + perSecond * answers.seconds + 1)
  // However it was refused, read or unread, at once or late: each has its decision, and the sum is exact.
  await expect.poll(() => onRecord('loud')).toBe(refusals['loud'])
})
