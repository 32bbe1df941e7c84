// Limits as a job and a neighbour feel them (attacks §6), with the defaults on.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { run as decision } from '../../bin/commands/decision.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key] }) } })
  acme = `${broker.url}/t/acme`
})
afterAll(() => removeBroker(broker))

test('a 256-job matrix of one repository gets through at once', async () => {
  const job = async () => {
    const assertion = signAssertion(key, githubClaims(acme))
    const headers = { 'idempotency-key': randomUUID() }
    // Who waited too long for its turn, on a slow machine, asks again, as a client does. A limit is another answer.
    const ask = () => exchange(acme, assertion, { audience: TARGET }, headers)
    return (await until('an answer to a job', ask, ({ status }) => status !== 503)).status
  }
  expect(await Promise.all(Array.from({ length: 256 }, job))).toEqual(Array(256).fill(200))
})

test('a source that goes on is told to wait, before its requests are read', async () => {
  const post = () =>
    fetch(`${acme}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }) }).then(
      async (response) => ({
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
        body: (await response.json()) as Record<string, unknown>,
      }),
    )
  // As long as it takes: on a slow machine the burst fills up again meanwhile.
  const limited: Awaited<ReturnType<typeof post>>[] = []
  await until(
    'fifty refusals',
    async () => {
      const answers = await Promise.all(Array.from({ length: 100 }, post))
      limited.push(...answers.filter(({ status }) => status === 429))
      return limited.length
    },
    (count) => count > 50,
  )
  expect(Number(limited[0]!.retryAfter)).toBeGreaterThan(0)
  // The first few of a minute are recorded in full, the others counted: each is found by its id.
  for (const { body } of [limited[0]!, limited.at(-1)!]) {
    expect(body['error']).toBe('temporarily_unavailable')
    const shown = async () => {
      const io = captureIo()
      await decision([String(body['decision_id']), '--data', broker.dataDir], io)
      return io.out()
    }
    await expect.poll(shown).toContain('rate_limited_source')
  }
})

test('who makes up names makes no records and no logs, with the first use of each neither', async () => {
  const ask = async (tenant: string) => (await fetch(`${broker.url}/t/${tenant}/token`, { method: 'POST' })).status
  const askOften = (tenants: readonly string[]) => Promise.all(tenants.map(ask))
  while ((await ask('acme')) !== 429) await askOften(Array.from({ length: 100 }, () => 'acme'))
  expect(await askOften(Array.from({ length: 20 }, (_, at) => `invented${at}`))).toContain(429)
  // What was refused before it is written before it, or with it; and the log follows.
  const last = await exchange(acme, 'no assertion')
  const shown = async () => {
    const io = captureIo()
    await decision([String(last.body['decision_id']), '--data', broker.dataDir], io)
    return io.out()
  }
  await expect.poll(shown).toMatch(/tenant\s+acme/)
  await broker.stop()
  const tenantsIn = (file: string, table: string): unknown[] => {
    const database = new DatabaseSync(join(broker.dataDir, file), { readOnly: true })
    onTestFinished(() => database.close())
    return database
      .prepare(`SELECT DISTINCT tenant FROM ${table}`)
      .all()
      .map(({ tenant }) => tenant)
  }
  expect(tenantsIn('mintmark.db', 'denial')).toEqual(['acme'])
  expect(tenantsIn('mintmark.db', 'denial_roll_up')).toEqual(['acme'])
  expect(tenantsIn('audit.db', 'log')).toEqual(['acme'])
})
