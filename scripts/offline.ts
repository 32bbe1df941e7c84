// `npm run offline`: the AWS target on this machine. The zips as packaged run under serverless-offline; what they call is
// DynamoDB Local, fauxqs and the emulator of the tests, which checks signatures and asks the packaged policies. Loopback only.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { loadDirectory } from '../bin/embedded/load-directory.ts'
import {
  DEAD_LETTERS,
  FUNCTIONS,
  type FunctionName,
  functionName,
  QUEUES,
  type QueueName,
  queueName,
} from '../infra/names.ts'
import { type ClientPlace, sqsClient } from '../lib/adapters/aws/clients.ts'
import { createDynamoClient, tableOf } from '../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { CORE_TABLE } from '../lib/adapters/aws/table-keys.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import type { InvocationContext } from '../lib/edge/invocation.ts'
import { applyTenants, type CheckedDocument } from '../lib/flows/tenants/apply-tenants.ts'
import { SCHEDULED } from '../lib/wire/lambda-events.ts'
import { cloudFromTemplates } from '../test/support/aws/cloud-from-template.ts'
import { type Aws, startAws } from '../test/support/aws/emulator.ts'
import { receiverSecret, senderSecret, sinkSecret } from '../test/support/aws/secretsmanager.ts'
import { createDeployedTables, startDynamodb } from '../test/support/dynamodb-process.ts'
import { startQueues } from '../test/support/fauxqs-queues.ts'
import { freePort } from '../test/support/free-port.ts'
import { offlineService, oslsOf, PLACE, packageService } from './offline-service.ts'
import { type QueueSource, startSources } from './offline-sources.ts'

const STAGE = { stage: 'prod' }
/** serverless-offline takes seconds; the first decisions of IAM take many. */
const READY_MS_MAX = 120_000
const APPLY_MS = 20_000

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: 'tenants' },
    port: { type: 'string', default: '8081' },
    operator: { type: 'string' },
    secrets: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

/** Undone in reverse, whatever of it was reached. */
const undo: (() => unknown)[] = []
const stop = async (): Promise<void> => {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
}

type Engines = { readonly aws: Aws; readonly dynamodb: string }

const startEngines = async (stacks: Parameters<typeof cloudFromTemplates>[0], url: string): Promise<Engines> => {
  const dynamodb = await startDynamodb()
  undo.push(dynamodb.stop)
  await createDeployedTables(dynamodb.endpoint)
  const queues = await startQueues()
  undo.push(queues.close)
  const aws = await startAws({
    cloud: cloudFromTemplates(stacks, PLACE),
    dynamodb: dynamodb.endpoint,
    sqs: queues.server.address,
    publishedKeys: async (issuer) => (await fetch(`${url}${new URL(issuer).pathname}/jwks.json`)).json() as never,
  })
  undo.push(aws.stop)
  const root = sqsClient(aws.client(aws.rootCredentials) as ClientPlace)
  for (const queue of [...QUEUES, ...DEAD_LETTERS])
    await root.send(new CreateQueueCommand({ QueueName: queueName(STAGE, queue) }))
  return { aws, dynamodb: dynamodb.endpoint }
}

/** A function's own credentials, and where its clients find everything. */
const emulated = (aws: Aws, url: string) => (fn: FunctionName) => {
  const { accessKeyId, secretAccessKey, sessionToken } = aws.credentialsFor(fn) as ClientPlace['credentials']
  return {
    MINTMARK_BASE_URL: url,
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: PLACE.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
}

/** serverless-offline's own Invoke, which knows neither signatures nor permissions: the emulator stands before it. */
const invokeAt = (port: number, fn: FunctionName) => async (event: unknown, context?: InvocationContext) => {
  // As it was called, with the alias.
  const name = context?.invokedFunctionArn.split(':function:')[1] ?? functionName(STAGE, fn)
  const response = await fetch(`http://127.0.0.1:${port}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    body: JSON.stringify(event),
  })
  if (!response.ok || response.headers.has('x-amz-function-error')) throw new Error(`${name} failed`)
  return (await response.json()) as unknown
}

const startFunctions = async (folder: string, lambdaPort: number): Promise<void> => {
  const args = [oslsOf(folder), 'offline', 'start', '-c', 'offline.json']
  // It reports every request, and the functions log: to stderr, for stdout is the one line that says where.
  const output = values.verbose ? process.stderr : 'ignore'
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', output, output] })
  undo.push(() => stopChild(child))
  for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`serverless-offline ended with ${child.exitCode}; --verbose says why`)
    if (await fetch(`http://127.0.0.1:${lambdaPort}/`).then(Boolean, () => false)) return
    if (Date.now() > deadline) throw new Error('serverless-offline did not start')
  }
}

const stopChild = (child: ChildProcess): Promise<void> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGINT')
  })

const personAs = (aws: Aws, name: 'apply' | 'operator'): ClientPlace => {
  const role = `arn:aws:iam::${PLACE.account}:role/mintmark/mintmark-${name}`
  return aws.client(aws.credentialsForRole(role, { sessionName: 'offline', sourceIdentity: 'offline' })) as ClientPlace
}

const apply = async (aws: Aws, tenantsDir: string, url: string): Promise<readonly CheckedDocument[]> => {
  const loaded = loadDirectory(tenantsDir, { baseUrl: url, dev: false })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  const client = createDynamoClient({ ...personAs(aws, 'apply'), maxAttempts: 5, requestMs: APPLY_MS })
  const configs = createTenantConfigStore(tableOf(CORE_TABLE, client, APPLY_MS))
  await applyTenants({ configs, clock: systemClock, cut: null }, loaded.documents, { author: 'offline', commit: '' })
  client.destroy()
  return loaded.documents
}

/** For `mintmark revoke --aws` and its like: the variables of a session of the operator, good at this emulator and nowhere else. */
const writeOperator = (aws: Aws, file: string): void => {
  const { region, endpoint, credentials } = personAs(aws, 'operator')
  const variables = {
    AWS_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  }
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`)
  writeFileSync(file, lines.join(''), { mode: 0o600 })
}

/** `<tenant>/<name>` below the folder are the secrets `mintmark/<tenant>/<name>`, tagged with what the documents use them for. */
const putSecrets = (aws: Aws, folder: string, documents: readonly CheckedDocument[]): void => {
  const parsed = documents.map(({ document }) => JSON.parse(document) as SecretUses)
  const ofSinks = new Set(
    parsed.flatMap(({ sinks = {} }) => Object.values(sinks).flatMap(({ token }) => token?.file ?? [])),
  )
  const ofReceivers = new Set(
    parsed.flatMap(({ receivers = {} }) =>
      Object.values(receivers).flatMap(({ authorization }) => authorization?.file ?? []),
    ),
  )
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const name = relative(folder, file)
    const tagged = ofSinks.has(name) ? sinkSecret : ofReceivers.has(name) ? receiverSecret : senderSecret
    aws.secrets.set(`mintmark/${name}`, tagged(readFileSync(file, 'utf8').trimEnd()))
  }
}

type SecretFile = { readonly file: string }
type SecretUses = {
  readonly sinks?: Readonly<Record<string, { readonly token?: SecretFile }>>
  readonly receivers?: Readonly<Record<string, { readonly authorization?: SecretFile }>>
}

/** As the schedule does, until every tenant has its keys: the emulator's first answers come too late for the functions. */
const makeFirstKeys = async (rotate: (event: unknown) => Promise<unknown>): Promise<void> => {
  for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(200)) {
    const done = (await rotate(SCHEDULED).catch(() => null)) as { failed: unknown[] } | null
    if (done?.failed.length === 0) return
    if (Date.now() > deadline) throw new Error('rotate could not make the first keys; --verbose says why')
  }
}

const start = async (): Promise<string> => {
  const tenantsDir = resolve(values.tenants)
  const http = Number(values.port) || (await freePort())
  const lambda = await freePort()
  const url = `http://127.0.0.1:${http}`
  const folder = mkdtempSync(join(tmpdir(), 'mintmark-offline-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  const { core, stacks } = await packageService(folder, tenantsDir)
  const { aws, dynamodb } = await startEngines(stacks, url)
  for (const fn of FUNCTIONS) aws.functions.register(functionName(STAGE, fn), invokeAt(lambda, fn))
  const service = offlineService(core, { http, lambda }, emulated(aws, url))
  writeFileSync(join(folder, 'offline.json'), JSON.stringify(service))
  await startFunctions(folder, lambda)
  const documents = await apply(aws, tenantsDir, url)
  await makeFirstKeys(invokeAt(lambda, 'rotate'))
  const source = (fn: FunctionName, queue: QueueName): QueueSource => ({
    place: aws.client(aws.credentialsFor(fn, { asService: true })) as ClientPlace,
    queueUrl: `https://sqs.${PLACE.region}.amazonaws.com/${PLACE.account}/${queueName(STAGE, queue)}`,
    invoke: invokeAt(lambda, fn),
  })
  if (values.secrets !== undefined) putSecrets(aws, resolve(values.secrets), documents)
  if (values.operator !== undefined) writeOperator(aws, values.operator)
  const queues = [
    source('revoke', 'revoke'),
    source('audit', 'denials'),
    source('events', 'findings'),
    source('push', 'push'),
  ]
  const stream = { endpoint: dynamodb, invoke: invokeAt(lambda, 'audit') }
  const scheduled = (['checkpoint', 'deliver', 'push', 'erase'] as const).map((fn) => invokeAt(lambda, fn))
  undo.push(startSources({ queues, stream, scheduled }))
  return url
}

const end = (code: number) =>
  stop().then(
    () => process.exit(code),
    () => process.exit(1),
  )
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(0))
try {
  process.stdout.write(`mintmark offline listening on ${await start()}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  await end(1)
}
