// The deployment as `npm run package` leaves it, run in one process: every function composed by its own compose.ts with the
// environment of the template, its clients pointed at the emulator with the credentials of its role. Policies are enforced.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { ADMIN_ENVIRONMENT, createAdmin } from '../../../functions/admin/compose.ts'
import { ATTEST_ENVIRONMENT, createAttest } from '../../../functions/attest/compose.ts'
import { AUDIT_ENVIRONMENT, createAudit } from '../../../functions/audit/compose.ts'
import { CHECKPOINT_ENVIRONMENT, createCheckpoint } from '../../../functions/checkpoint/compose.ts'
import { createDeliver, DELIVER_ENVIRONMENT } from '../../../functions/deliver/compose.ts'
import { createDiscovery, DISCOVERY_ENVIRONMENT } from '../../../functions/discovery/compose.ts'
import { createErase, ERASE_ENVIRONMENT } from '../../../functions/erase/compose.ts'
import { createEvents, EVENTS_ENVIRONMENT } from '../../../functions/events/compose.ts'
import { createFeedFunction, FEED_ENVIRONMENT } from '../../../functions/feed/compose.ts'
import { createIntrospect, INTROSPECT_ENVIRONMENT } from '../../../functions/introspect/compose.ts'
import { createMint, MINT_ENVIRONMENT } from '../../../functions/mint/compose.ts'
import { createPollFunction, POLL_ENVIRONMENT } from '../../../functions/poll/compose.ts'
import { createPush, PUSH_ENVIRONMENT } from '../../../functions/push/compose.ts'
import { createRevoke, REVOKE_ENVIRONMENT } from '../../../functions/revoke/compose.ts'
import { createRotate, ROTATE_ENVIRONMENT } from '../../../functions/rotate/compose.ts'
import { createTrust, TRUST_ENVIRONMENT } from '../../../functions/trust/compose.ts'
import { DEAD_LETTERS, type FUNCTIONS, type FunctionName, QUEUES } from '../../../infra/names.ts'
import {
  type ClientPlace,
  dynamoLike,
  iamClient,
  kmsClient,
  lambdaClient,
  secretsClient,
  sqsClient,
  stsClient,
} from '../../../lib/adapters/aws/clients.ts'
import { createDynamoClient, tableOf } from '../../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createS3Objects } from '../../../lib/adapters/aws/s3-objects.ts'
import { createStsWebIdentity } from '../../../lib/adapters/aws/sts-web-identity.ts'
import { createGuardedHttp } from '../../../lib/adapters/http/guarded-http.ts'
import { type EnvironmentName, readEnvironment } from '../../../lib/config/environment.ts'
import type { OutboundHttp } from '../../../lib/ports/outbound-http.ts'
import type { StreamEvent } from '../../../lib/wire/lambda-events.ts'
import { createTablesNamed, localDynamo, readStream } from '../dynamodb-local.ts'
import { deliverBatch, startQueues } from '../fauxqs-queues.ts'
import { recordingOf } from '../recordings.ts'
import { cloudFromTemplates, type Stack } from './cloud-from-template.ts'
import { type Aws, startAws } from './emulator.ts'
import { type Template, templateResolver } from './template-values.ts'
import { waitLonger } from './wait-longer.ts'

const ROOT = join(import.meta.dirname, '../../..')
const FILE = 'cloudformation-template-update-stack.json'
const PLACE = { account: '111122223333', region: 'eu-west-1' }
const STACK = 'mintmark-prod'
const STREAM_BATCH = 25

/** Writes the documents, packages them, and reads what came out. */
const packageTenants = (tenants: Readonly<Record<string, string>>) => {
  const tenantsDir = mkdtempSync(join(tmpdir(), 'mintmark-tenants-'))
  for (const [name, text] of Object.entries(tenants)) writeFileSync(join(tenantsDir, `${name}.yaml`), text)
  const args = ['scripts/package.ts', `--param=tenants=${tenantsDir}`]
  const done = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${done.stdout}${done.stderr}`)
  const read = (folder: string): Template => JSON.parse(readFileSync(join(ROOT, folder, FILE), 'utf8'))
  const core = read('.serverless')
  const stacks: Stack[] = [
    { template: core, name: STACK },
    ...readdirSync(join(ROOT, '.serverless-tenants')).map((name) => ({
      template: read(`.serverless-tenants/${name}`),
      name: `mintmark-tenants-${name}`,
    })),
  ]
  return { tenantsDir, core, stacks }
}

/** An emulator decides each request in one process with everything else: its answers take longer than AWS's. */
export const patientDynamo = (place: ClientPlace): DynamoDBClient =>
  createDynamoClient({ ...place, maxAttempts: 2, requestMs: 5_000 })

export type Deployed = Awaited<ReturnType<typeof startDeployed>>

/** `http`: what trust, push and deliver find on the internet. */
export const startDeployed = async (tenants: Readonly<Record<string, string>>, http: OutboundHttp) => {
  waitLonger()
  const { tenantsDir, core, stacks } = packageTenants(tenants)
  const cloud = cloudFromTemplates(stacks, PLACE)
  const resolver = templateResolver(core, { ...PLACE, stackName: STACK, parameters: {}, exports: {} })
  const variablesOf = (fn: FunctionName): Record<string, string> => {
    const id = `${fn.charAt(0).toUpperCase()}${fn.slice(1)}LambdaFunction`
    return (resolver.properties(id)['Environment'] as { Variables: Record<string, string> }).Variables
  }
  const environmentOf = <const Name extends EnvironmentName>(fn: FunctionName, names: readonly Name[]) =>
    readEnvironment(names, variablesOf(fn))

  const queues = await startQueues()
  await createTablesNamed('')
  const aws: Aws = await startAws({
    cloud,
    dynamodb: localDynamo().endpoint,
    sqs: queues.server.address,
    recordTo: recordingOf('lambda-e2e', cloud),
    publishedKeys: async (issuer) => JSON.parse((await get(`${new URL(issuer).pathname}/jwks.json`)).body),
  })

  const root = sqsClient(aws.client(aws.rootCredentials) as ClientPlace)
  for (const name of [...QUEUES, ...DEAD_LETTERS])
    await root.send(new CreateQueueCommand({ QueueName: `${STACK}-${name}` }))

  const rootDynamo = patientDynamo(aws.client(aws.rootCredentials) as ClientPlace)
  const placeOf = (fn: FunctionName): ClientPlace => aws.client(aws.credentialsFor(fn)) as ClientPlace
  const own = (fn: FunctionName) => {
    const place = placeOf(fn)
    const dynamo = patientDynamo(place)
    return { place, dynamo, dynamoAs: dynamoLike(dynamo, place), sts: stsClient(place) }
  }
  const kmsAs = (place: ClientPlace) => (credentials: ClientPlace['credentials']) =>
    kmsClient({ ...place, credentials })
  const secretsAs = (place: ClientPlace) => (credentials: ClientPlace['credentials']) =>
    secretsClient({ ...place, credentials })
  const compose = {
    attest() {
      const { place, dynamo } = own('attest')
      const clients = { dynamo, lambda: lambdaClient(place), sqs: sqsClient(place) }
      return createAttest(environmentOf('attest', ATTEST_ENVIRONMENT), clients)
    },
    mint() {
      const { place, ...clients } = own('mint')
      const outbound = createGuardedHttp({ dev: true, egressAllow: [] })
      const webIdentity = createStsWebIdentity({ http: outbound, region: place.region, endpoint: `${aws.endpoint}/` })
      return createMint(environmentOf('mint', MINT_ENVIRONMENT), { ...clients, kmsAs: kmsAs(place), webIdentity })
    },
    trust: () =>
      createTrust(environmentOf('trust', TRUST_ENVIRONMENT), {
        dynamo: own('trust').dynamo,
        http,
      }),
    revoke() {
      const { place, ...clients } = own('revoke')
      const iamAs = (credentials: ClientPlace['credentials']) => iamClient({ ...place, credentials })
      const more = { iamAs, secretsAs: secretsAs(place), sqs: sqsClient(place) }
      return createRevoke(environmentOf('revoke', REVOKE_ENVIRONMENT), { ...clients, ...more })
    },
    audit() {
      const { place, ...clients } = own('audit')
      return createAudit(environmentOf('audit', AUDIT_ENVIRONMENT), { ...clients, sqs: sqsClient(place) })
    },
    checkpoint() {
      const { place, ...clients } = own('checkpoint')
      const s3As = (credentials: ClientPlace['credentials']) => createS3Objects({ ...place, credentials })
      const more = { kmsAs: kmsAs(place), s3As }
      return createCheckpoint(environmentOf('checkpoint', CHECKPOINT_ENVIRONMENT), { ...clients, ...more })
    },
    deliver() {
      const { place, ...clients } = own('deliver')
      const more = { secretsAs: secretsAs(place), http: http as OutboundHttp, lambda: lambdaClient(place) }
      return createDeliver(environmentOf('deliver', DELIVER_ENVIRONMENT), { ...clients, ...more })
    },
    erase() {
      const { place: _, ...clients } = own('erase')
      return createErase(environmentOf('erase', ERASE_ENVIRONMENT), clients)
    },
    discovery() {
      const { place, ...clients } = own('discovery')
      const more = { lambda: lambdaClient(place) }
      return createDiscovery(environmentOf('discovery', DISCOVERY_ENVIRONMENT), { ...clients, ...more })
    },
    feed() {
      const { place, ...clients } = own('feed')
      return createFeedFunction(environmentOf('feed', FEED_ENVIRONMENT), { ...clients, kmsAs: kmsAs(place) })
    },
    introspect() {
      const { place, ...clients } = own('introspect')
      const more = { sqs: sqsClient(place) }
      return createIntrospect(environmentOf('introspect', INTROSPECT_ENVIRONMENT), { ...clients, ...more })
    },
    admin() {
      const { place, ...clients } = own('admin')
      return createAdmin(environmentOf('admin', ADMIN_ENVIRONMENT), { ...clients, sqs: sqsClient(place) })
    },
    events() {
      const { place, ...clients } = own('events')
      const more = { lambda: lambdaClient(place), sqs: sqsClient(place), secretsAs: secretsAs(place) }
      return createEvents(environmentOf('events', EVENTS_ENVIRONMENT), { ...clients, ...more })
    },
    rotate() {
      const { place, ...clients } = own('rotate')
      const more = { lambda: lambdaClient(place), kmsAs: kmsAs(place) }
      return createRotate(environmentOf('rotate', ROTATE_ENVIRONMENT), { ...clients, ...more })
    },
  }
  const told = {
    push() {
      const { place, ...clients } = own('push')
      const more = { http, lambda: lambdaClient(place), sqs: sqsClient(place), secretsAs: secretsAs(place) }
      return createPush(environmentOf('push', PUSH_ENVIRONMENT), { ...clients, ...more })
    },
    poll() {
      const { place, ...clients } = own('poll')
      const more = { lambda: lambdaClient(place), sqs: sqsClient(place) }
      return createPollFunction(environmentOf('poll', POLL_ENVIRONMENT), { ...clients, ...more })
    },
  }
  const checkpoint = compose.checkpoint()
  const functions = {
    attest: compose.attest(),
    mint: compose.mint(),
    trust: compose.trust(),
    revoke: compose.revoke(),
    audit: compose.audit(),
    /** By itself, as its schedule does. */
    checkpoint: (payload: unknown, context = { invokedFunctionArn: `${STACK}-checkpoint` }) =>
      checkpoint(payload, context),
    deliver: compose.deliver(),
    erase: compose.erase(),
    discovery: compose.discovery(),
    feed: compose.feed(),
    introspect: compose.introspect(),
    admin: compose.admin(),
    events: compose.events(),
    rotate: compose.rotate(),
    push: told.push(),
    poll: told.poll(),
  } satisfies Record<(typeof FUNCTIONS)[number], unknown>
  aws.functions.register(`${STACK}-mint`, functions.mint)
  aws.functions.register(`${STACK}-trust`, functions.trust)
  aws.functions.register(`${STACK}-feed`, functions.feed)
  aws.functions.register(`${STACK}-checkpoint`, functions.checkpoint)

  const httpEvent = (method: string, rawPath: string, more: object = {}) => ({
    rawPath,
    headers: {},
    requestContext: { http: { method, sourceIp: '203.0.113.7' } },
    ...more,
  })
  const get = (path: string) => functions.discovery(httpEvent('GET', path))
  return {
    aws,
    queues,
    tenantsDir,
    functions,
    variablesOf,
    get,
    /** One exchange, as a job would ask for it. */
    async exchange(
      tenant: string,
      assertion: string,
      form: Record<string, string> = {},
      more: Record<string, string> = {},
    ) {
      const body = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: assertion,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        ...form,
      }).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...more }
      const answer = await functions.attest(httpEvent('POST', `/t/${tenant}/token`, { headers, body }))
      return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, string> }
    },
    /** The stream from its beginning and the queue of denials, taken. */
    async audit() {
      const all = await readStream('mintmark-core')
      for (let at = 0, tries = 0; at < all.length; tries += 1) {
        if (tries > all.length) throw new Error('audit could not take the stream')
        const Records = all.slice(at, at + STREAM_BATCH) as never as StreamEvent['Records']
        const { batchItemFailures } = await functions.audit({ Records })
        const failed = Records.findIndex(
          ({ dynamodb }) => dynamodb?.SequenceNumber === batchItemFailures[0]?.itemIdentifier,
        )
        at += batchItemFailures.length === 0 ? Records.length : Math.max(failed, 0)
      }
      const queueUrl = variablesOf('attest')['MINTMARK_DENIALS_QUEUE']!
      const client = sqsClient(aws.client(aws.credentialsFor('audit', { asService: true })) as ClientPlace)
      while ((await deliverBatch(client, queueUrl, (event) => functions.audit(event))) > 0);
    },
    inForce: (tenant: string) => createRevocationStore(tableOf('mintmark-core', rootDynamo, 20_000)).list(tenant),
    /** Clients of people and of the service itself. */
    placeOfRole: (name: string): ClientPlace => {
      const role = `arn:aws:iam::${PLACE.account}:role/mintmark/${name}`
      return aws.client(aws.credentialsForRole(role, { sessionName: 'ops', sourceIdentity: 'alice' })) as ClientPlace
    },
    placeOfService: (fn: FunctionName): ClientPlace =>
      aws.client(aws.credentialsFor(fn, { asService: true })) as ClientPlace,
    async stop() {
      await queues.close()
      // With the keys and the deny texts that were made.
      recordingOf('lambda-e2e', aws.cloud)
      await aws.stop()
    },
  }
}
