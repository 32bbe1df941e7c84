// Sessions of the data role: one tenant each, tagged so that IAM can tell, never used for another, never longer than they live.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDynamoClient } from '../../../lib/adapters/aws/dynamo-request.ts'
import { createTenantSessions, tableOfTenants } from '../../../lib/adapters/aws/tenant-sessions.ts'
import { handClock } from '../../support/own-keys.ts'

const ROLE = 'arn:aws:iam::111122223333:role/mintmark/data/mintmark-data-mint'
const OUTAGE = { name: 'Unavailable', kind: 'store_unavailable' }

/** What STS was asked, and what it says: an AssumeRole answer for the session name asked for, unless a test wants another. */
let asked: URLSearchParams[] = []
let say: (request: URLSearchParams) => { readonly status: number; readonly body: string }
const sessionNamed = (name: string) => ({
  status: 200,
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
    <Arn>arn:aws:sts::111122223333:assumed-role/mintmark-data-mint/${name}</Arn><AssumedRoleId>AROAEXAMPLE:${name}</AssumedRoleId>
    </AssumedRoleUser><Credentials><AccessKeyId>ASIA-${name}-${asked.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
    <SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
})

let server: Server
let sts: STSClient
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    asked.push(form)
    const { status, body } = say(form)
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  sts = new STSClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  })
})
afterAll(() => {
  sts.destroy()
  server.close()
})
beforeEach(() => {
  asked = []
  say = (form) => sessionNamed(form.get('RoleSessionName')!)
})

const sessionsOf = (entriesMax?: number) => {
  const clock = handClock()
  const sessions = createTenantSessions({ sts, roleArn: ROLE, clock, ...(entriesMax && { entriesMax }) })
  return { clock, sessions }
}

test('the role is assumed with the tenant as its only tag, for the shortest time there is', async () => {
  const { tenant, credentials } = await sessionsOf().sessions.of('acme')
  expect([tenant, credentials.accessKeyId]).toEqual(['acme', 'ASIA-mintmark-acme-1'])
  const { Version: _, ...form } = Object.fromEntries(asked[0]!)
  expect(form).toEqual({
    Action: 'AssumeRole',
    RoleArn: ROLE,
    RoleSessionName: 'mintmark-acme',
    DurationSeconds: '900',
    'Tags.member.1.Key': 'mintmark-tenant',
    'Tags.member.1.Value': 'acme',
  })
})

test('16 requests of one tenant at once assume it once, and two tenants have two sessions', async () => {
  const { sessions } = sessionsOf()
  const acme = await Promise.all(Array.from({ length: 16 }, () => sessions.of('acme')))
  expect(new Set(acme).size).toBe(1)
  expect(asked).toHaveLength(1)
  expect((await sessions.of('globex')).credentials).not.toEqual(acme[0]!.credentials)
  expect((await sessions.of('acme')).credentials).toEqual(acme[0]!.credentials)
  expect(asked).toHaveLength(2)
})

test('a session is not used in its last minute', async () => {
  const { sessions, clock } = sessionsOf()
  const first = await sessions.of('acme')
  clock.add(900 - 61)
  expect(await sessions.of('acme')).toBe(first)
  clock.add(1)
  expect(await sessions.of('acme')).not.toBe(first)
})

test('a wall clock that was set back does not make a session last', async () => {
  const { sessions, clock } = sessionsOf()
  const first = await sessions.of('acme')
  clock.add(-3_600)
  expect(await sessions.of('acme')).not.toBe(first)
})

test("an answer that names another tenant's session is an error, also when it is asked for again", async () => {
  say = () => sessionNamed('mintmark-globex')
  const { sessions } = sessionsOf()
  await expect(sessions.of('acme')).rejects.toThrow('another tenant')
  await expect(sessions.of('acme')).rejects.toThrow('another tenant')
})

test.each([
  ['throttling', { status: 400, body: '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>' }],
  ['a refusal', { status: 403, body: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>' }],
  [
    'an answer without credentials',
    { status: 200, body: '<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>' },
  ],
])('%s of STS is Unavailable, and the next request asks again', async (_, answer) => {
  say = () => answer
  const { sessions } = sessionsOf()
  await expect(sessions.of('acme')).rejects.toMatchObject(OUTAGE)
  say = (form) => sessionNamed(form.get('RoleSessionName')!)
  expect((await sessions.of('acme')).tenant).toBe('acme')
})

test('however many tenants come, sessions of a bounded number are kept', async () => {
  const { sessions } = sessionsOf(2)
  for (const tenant of ['one', 'two', 'three', 'three', 'two']) await sessions.of(tenant)
  expect(asked).toHaveLength(3)
  await sessions.of('one')
  expect(asked).toHaveLength(4)
})

test('a table hands out, for each tenant, a client with the credentials of that tenant, and its own for no tenant', async () => {
  const { sessions } = sessionsOf()
  const base = { region: 'eu-west-1', maxAttempts: 2 }
  const own = createDynamoClient({ ...base, credentials: { accessKeyId: 'own', secretAccessKey: 'own' } })
  const connect = (credentials: Parameters<Parameters<typeof tableOfTenants>[0]['connect']>[0]) =>
    createDynamoClient({ ...base, credentials, requestHandler: own.config.requestHandler })
  const table = tableOfTenants({ name: 'mintmark-core', sessions, connect, own })
  const keyIdOf = async (tenant: string | null) =>
    (await (await table.clientOf(tenant)).config.credentials()).accessKeyId
  expect(await Promise.all(['acme', 'globex', null, 'acme'].map(keyIdOf))).toEqual([
    expect.stringContaining('mintmark-acme'),
    expect.stringContaining('mintmark-globex'),
    'own',
    expect.stringContaining('mintmark-acme'),
  ])
  expect(await table.clientOf('acme')).toBe(await table.clientOf('acme'))
})
