// As users have it: the embedded broker, `mintmark aws-credentials` in a job, and the AWS SDK finding what it needs in both shapes.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant } from '../support/tenants.ts'
import { credentialsCloud, DEPLOYER } from './credentials-cloud.ts'

const key = issuerKey('RS256')
const directory = mkdtempSync(join(tmpdir(), 'mintmark-'))
let aws: Aws
let broker: RunningBroker
let tenantUrl = ''
/** What AWS knows the tenant by; a proxy would stand in front of the broker. */
const ISSUER = 'https://sts.example.com/t/acme'

const GRANTS = `
  deploy-prod:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /ci/{project.id}/{environment.name}
    issue: [{ type: aws-credentials, role: "${DEPLOYER}" }]
`

beforeAll(async () => {
  aws = await startAws({
    cloud: credentialsCloud(ISSUER),
    publishedKeys: async () => (await (await fetch(`${tenantUrl}/jwks.json`)).json()) as { keys: [] },
  })
  broker = await startBroker({
    tenants: { acme: githubTenant('acme', { keys: [key], grants: GRANTS }) },
    args: ['--base-url', 'https://sts.example.com'],
    env: { AWS_ENDPOINT_URL_STS: `${aws.endpoint}/` },
  })
  tenantUrl = `${broker.url}/t/acme`
})
afterAll(async () => {
  await removeBroker(broker)
  await aws.stop()
  rmSync(directory, { recursive: true, force: true })
})

const assertionFile = (): string => {
  const file = join(directory, `assertion-${Math.random().toString(36).slice(2)}`)
  writeFileSync(file, signAssertion(key, githubClaims(ISSUER)))
  return file
}

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'] ?? '', ...env } })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.once('exit', (code) => resolve({ code, stdout, stderr }))
  })

const command = (file: string, ...more: string[]): string[] => [
  'bin/mintmark.ts',
  'aws-credentials',
  '--tenant-url',
  tenantUrl,
  '--assertion',
  file,
  ...more,
]

/** Any program with an AWS SDK and no credentials of its own. */
const WHO_AM_I = `import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
const { Arn } = await new STSClient({ region: 'eu-west-1', endpoint: process.env.EMULATOR }).send(new GetCallerIdentityCommand({}))
process.stdout.write(Arn)`
const whoAmI = ['--input-type=module', '-e', WHO_AM_I]

test('the metadata lists the type, because this broker issues it', async () => {
  const document = (await (await fetch(`${broker.url}/.well-known/oauth-authorization-server/t/acme`)).json()) as object
  expect(document).toMatchObject({
    requested_token_types_supported: [
      'urn:ietf:params:oauth:token-type:access_token',
      'urn:mintmark:token-type:aws-credentials',
    ],
  })
})

test('printed: the credential_process document, and nothing of it in the log of the broker', async () => {
  const askedMs = Date.now()
  const { code, stdout, stderr } = await run(command(assertionFile(), '--grant', 'deploy-prod'))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const document = JSON.parse(stdout) as Record<string, string>
  expect(Object.keys(document)).toEqual([
    'Version',
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
    'AccountId',
  ])
  expect(document).toMatchObject({ Version: 1, AccountId: '444455556666' })
  const endMs = Date.parse(document['Expiration']!)
  expect(endMs).toBeGreaterThan(askedMs + 14 * 60_000)
  expect(endMs).toBeLessThanOrEqual(Date.now() + 15 * 60_000)
  for (const name of ['AccessKeyId', 'SecretAccessKey', 'SessionToken'])
    expect(broker.output()).not.toContain(document[name])
})

test('the AWS SDK takes it from ~/.aws/config as a credential_process', async () => {
  const config = join(directory, 'config')
  const line = [process.execPath, ...command(assertionFile())].join(' ')
  writeFileSync(config, `[profile deployer]\ncredential_process = ${line}\nregion = eu-west-1\n`)
  const { code, stdout } = await run(whoAmI, {
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    AWS_PROFILE: 'deployer',
    EMULATOR: aws.endpoint,
  })
  expect(stdout).toMatch(/^arn:aws:sts::444455556666:assumed-role\/deployer\/mintmark-[0-9a-f-]{36}$/)
  expect(code).toBe(0)
})

test('a command run with --exec finds them by itself; its exit code is passed on, and credentials around it are not', async () => {
  const args = command(assertionFile(), '--exec', '--', process.execPath, '--input-type=module', '-e')
  const { code, stdout } = await run([...args, `${WHO_AM_I};process.exit(7)`], {
    AWS_ACCESS_KEY_ID: 'AKIAOFTHEMACHINE',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    AWS_CONFIG_FILE: join(directory, 'none'),
    EMULATOR: aws.endpoint,
  })
  expect(stdout).toMatch(/assumed-role\/deployer\/mintmark-/)
  expect(code).toBe(7)
})

test('evidence shown twice is refused, exit 1, and a throttled cloud is unavailable, exit 3, without showing it again', async () => {
  const file = assertionFile()
  expect((await run(command(file))).code).toBe(0)
  const again = await run(command(file, '--json'))
  expect(again.code).toBe(1)
  expect(JSON.parse(again.stdout)).toMatchObject({ status: 400, error: 'invalid_request' })
  aws.faults.inject([{ action: 'sts:AssumeRoleWithWebIdentity', kind: 'throttle', percent: 100 }])
  const throttled = await run(command(assertionFile(), '--json'))
  expect(aws.faults.struck).toEqual([1])
  aws.faults.inject([])
  expect(throttled.code).toBe(3)
  expect(JSON.parse(throttled.stdout)).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
})
