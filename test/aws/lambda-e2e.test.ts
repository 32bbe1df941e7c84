// The functions as they are deployed, from a tenant's document to a token, a session, a revocation and the log: DynamoDB Local,
// fauxqs and the emulator behind real signatures, under the packaged policies. A call they do not allow fails here. Longer than
// 300 lines: one deployment serves all.
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadDirectory } from '../../bin/embedded/load-directory.ts'
import { type ClientPlace, sqsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { createDenialLookup } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createS3Anchor } from '../../lib/adapters/aws/s3-anchor.ts'
import { createS3Objects } from '../../lib/adapters/aws/s3-objects.ts'
import { createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { signingKeyPartition } from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { openNote, parseVerifierKey } from '../../lib/domain/tlog/signed-note.ts'
import { tilePath } from '../../lib/domain/tlog/tiles.ts'
import { hourOf } from '../../lib/flows/audit/find-unlogged.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import { applyTenants } from '../../lib/flows/tenants/apply-tenants.ts'
import type { LogSource } from '../../lib/ports/tenant-log.ts'
import { SCHEDULED } from '../../lib/wire/lambda-events.ts'
import { EXCHANGE } from '../../scripts/exchange-requests.ts'
import { sampleOrder, samplePut } from '../contract/sample-rows.ts'
import { type Deployed, patientDynamo, startDeployed } from '../support/aws/deployed.ts'
import { receiverSecret, senderSecret, sinkSecret } from '../support/aws/secretsmanager.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { deliverBatch } from '../support/fauxqs-queues.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { adminSuite } from './admin-suite.ts'
import { boundCallerSuite } from './bound-caller-suite.ts'
import { callerSuite, OWN_GRANTS } from './caller-suite.ts'
import { runUntil } from './deployed-calls.ts'
import { eraseSuite, KEPT_FOR_DAYS } from './erase-suite.ts'
import { EVENT_SECRETS, EVENT_SOURCES, eventSuite, guardedKeys, partnerKeys } from './event-suite.ts'
import { PROMPT, promptReceiver, pushLatencySuite } from './push-latency-suite.ts'
import { EDGE_SECRET, edges, RECEIVER_GRANTS, RECEIVERS, receiverSuite } from './receiver-suite.ts'
import { SINK_SECRETS, SINKS, sinkSuite, sinksOnTheInternet, VAULT_SINKS } from './sink-suite.ts'

const BASE = 'https://sts.example.com'
const ROLE = 'arn:aws:iam::111122223333:role/mintmark/t/acme/acme-deployer'
const AWS_GRANT = `
  aws:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /aws/{project.id}
    issue: [{ type: aws-credentials, role: "${ROLE}", ttl: 15m }]
`
const key = issuerKey('RS256')
/** What GitHub publishes; globex has no key of it in its document. */
const fetched: string[] = []
const fetches = {
  async get(url: string) {
    fetched.push(url)
    const issuer = 'https://token.actions.githubusercontent.com'
    const document = url.endsWith('/openid-configuration')
      ? { issuer, jwks_uri: `${issuer}/keys` }
      : url.endsWith('/secret_scanning')
        ? partnerKeys()
        : url.startsWith('https://guarded.example/')
          ? guardedKeys()
          : { keys: [key.jwk] }
    return { ok: true as const, response: { status: 200, body: new TextEncoder().encode(JSON.stringify(document)) } }
  },
}
const internet = {
  ...fetches,
  post: (...[url, ...rest]: Parameters<typeof edges.post>) => {
    const { host } = new URL(url)
    const there =
      host === PROMPT.host ? promptReceiver : (SINKS + VAULT_SINKS).includes(host) ? sinksOnTheInternet : edges
    return there.post(url, ...rest)
  },
}
const GLOBEX =
  githubTenant('globex', { keys: [], orgId: '7777777', grants: DEPLOY_GRANT + PROMPT.grants }).replace(
    /\n {4}jwks:.*/,
    '',
  ) + PROMPT.receivers

/** Its keys never leave KMS. */
const VAULT =
  githubTenant('vault', { keys: [key], orgId: '8888888' }).replace('issuers:', 'tier: silo\nissuers:') + VAULT_SINKS

/** To be removed. */
const GONE = githubTenant('gone', { keys: [key], orgId: '9999999' }) + KEPT_FOR_DAYS

let deployed: Deployed
let claims: (tenant: string, more?: Record<string, unknown>) => string

beforeAll(async () => {
  const acme =
    githubTenant('acme', { keys: [key], grants: DEPLOY_GRANT + AWS_GRANT + OWN_GRANTS + RECEIVER_GRANTS }) +
    EVENT_SOURCES +
    RECEIVERS +
    SINKS
  deployed = await startDeployed({ acme, globex: GLOBEX, vault: VAULT, gone: GONE }, internet)
  for (const [name, secret] of Object.entries(EVENT_SECRETS)) deployed.aws.secrets.set(name, senderSecret(secret))
  for (const [name, secret] of Object.entries(SINK_SECRETS)) deployed.aws.secrets.set(name, sinkSecret(secret))
  deployed.aws.secrets.set('mintmark/acme/edge', receiverSecret(EDGE_SECRET))
  const orgs: Readonly<Record<string, string>> = {
    acme: '1234567',
    globex: '7777777',
    vault: '8888888',
    gone: '9999999',
  }
  claims = (tenant, more = {}) =>
    signAssertion(key, githubClaims(`${BASE}/t/${tenant}`, { repository_owner_id: orgs[tenant], ...more }))
  const documents = loadDirectory(deployed.tenantsDir, { baseUrl: BASE, dev: false })
  if (!documents.ok) throw new Error(documents.problems.join('\n'))
  const client = patientDynamo(deployed.placeOfRole('mintmark-apply'))
  const configs = createTenantConfigStore(tableOf('mintmark-core', client, 20_000))
  const by = { author: 'alice', commit: '' }
  await applyTenants({ configs, clock: systemClock, cut: null }, documents.documents, by)
  // The first decisions of IAM take the simulator longer than a function waits; from then on it remembers them.
  await runUntil(
    'the first keys',
    () => deployed.functions.rotate(),
    ({ failed }) => failed.length === 0,
  )
  for (const tenant of ['acme', 'globex', 'vault'])
    await runUntil(
      `a first token of ${tenant}`,
      () => deployed.exchange(tenant, claims(tenant), { audience: TARGET }),
      ({ status }) => status === 200,
    )
})
afterAll(() => deployed?.stop())

const refused = () => deployed.aws.recorder.entries().filter(({ decision }) => decision.outcome !== 'Allowed')
/** What functions asked for; a storage's own use of its encryption key apart. */
const actionsOf = (since = 0) =>
  deployed.aws.recorder
    .entries()
    .slice(since)
    .filter(({ context }) => context['kms:ViaService'] === undefined)
    .map(({ action }) => action)
const root = () => patientDynamo(deployed.aws.client(deployed.aws.rootCredentials) as never)
const jwks = async (tenant = 'acme') =>
  createLocalJWKSet(JSON.parse((await deployed.get(`/t/${tenant}/jwks.json`)).body))

test("rotate makes each tenant's first key with KMS, unseen or to stay there, and mint activates it: it is published", async () => {
  expect(await deployed.functions.rotate()).toEqual({ moves: 0, failed: [] })
  const { keys } = JSON.parse((await deployed.get('/t/acme/jwks.json')).body)
  expect(keys.map(({ alg }: { alg: string }) => alg).sort()).toEqual(['ES256', 'RS256'])
  expect(new Set(actionsOf().filter((action) => action.startsWith('kms:')))).toEqual(
    new Set([
      ...['kms:GenerateDataKeyPairWithoutPlaintext', 'kms:Decrypt', 'kms:Encrypt'],
      ...['kms:CreateKey', 'kms:GetPublicKey', 'kms:Sign'],
    ]),
  )
})

describe('an exchange', () => {
  test('gives a token that verifies against the published keys, and metadata that names them', async () => {
    const { status, body } = await deployed.exchange('acme', claims('acme'), { audience: TARGET })
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'deploy:read deploy:write' })
    expect(status).toBe(200)
    const { payload } = await jwtVerify(body['access_token']!, await jwks(), {
      issuer: `${BASE}/t/acme`,
      audience: TARGET,
      typ: 'at+jwt',
    })
    expect(payload).toMatchObject({ sub: 'spiffe://acme.example/ci/7654321/production', jti: body['decision_id'] })
    expect(payload.exp! - payload.iat!).toBe(600)
    const metadata = JSON.parse((await deployed.get('/t/acme/.well-known/openid-configuration')).body)
    expect(metadata).toMatchObject({ issuer: `${BASE}/t/acme`, jwks_uri: `${BASE}/t/acme/jwks.json` })
  })

  test('warm, makes two writes, at most five strong reads, no call of KMS or STS, two invocations with its own', async () => {
    const isRead = (action: string) => /^dynamodb:(GetItem|BatchGetItem|Query)$/.test(action)
    // One that no half minute ends in: then a configuration is read anew, and the time is noted.
    const calls = await until(
      'a warm exchange',
      async () => {
        const before = deployed.aws.recorder.entries().length
        expect((await deployed.exchange('acme', claims('acme'), { audience: TARGET })).status).toBe(200)
        return actionsOf(before)
      },
      (actions) => actions.length <= EXCHANGE.readUnits + 3 && !actions.includes('dynamodb:UpdateItem'),
    )
    const requests = [...Map.groupBy(calls, (action) => action)].map(([action, { length }]) => `${length} ${action}`)
    console.log(`a warm pooled exchange: 1 invocation of attest, ${requests.join(', ')}`)
    const reads = calls.filter(isRead)
    expect(reads.length).toBeLessThanOrEqual(EXCHANGE.readUnits)
    expect(calls.filter((action) => /^(?:kms|sts):/.test(action))).toHaveLength(EXCHANGE.keyAndSessionCalls)
    expect(calls.filter((action) => action === 'lambda:InvokeFunction')).toHaveLength(EXCHANGE.invocations - 1)
    expect(calls.filter((action) => !reads.includes(action)).sort()).toEqual([
      'dynamodb:PutItem',
      'dynamodb:PutItem',
      'lambda:InvokeFunction',
    ])
  })

  test('with a key that only trust can fetch: attest asks it once, mint reads the row it wrote', async () => {
    const { status, body } = await deployed.exchange('globex', claims('globex'), { audience: TARGET })
    expect(body).toHaveProperty('access_token')
    expect(status).toBe(200)
    expect(fetched).toHaveLength(2)
    await deployed.exchange('globex', claims('globex'), { audience: TARGET })
    expect(fetched).toHaveLength(2)
    await runUntil(
      'keys that are fresh',
      () => deployed.functions.trust({ source: 'mintmark.schedule' }) as Promise<object>,
      (done) => JSON.stringify(done) === '{"fetched":0,"failed":0}',
    )
  })

  test('of spent evidence is refused, and so is evidence for another tenant (P3, P4)', async () => {
    const once = claims('acme')
    expect((await deployed.exchange('acme', once, { audience: TARGET })).status).toBe(200)
    expect(await deployed.exchange('acme', once, { audience: TARGET })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    expect(await deployed.exchange('globex', claims('acme'), { audience: TARGET })).toMatchObject({ status: 400 })
    expect((await deployed.exchange('nobody', claims('acme'))).status).toBe(404)
  })
})

describe('a silo tenant', () => {
  const exchange = async () => {
    const { status, body } = await deployed.exchange('vault', claims('vault'), { audience: TARGET })
    expect(body).toHaveProperty('access_token')
    expect(status).toBe(200)
    return body['access_token']!
  }
  const kidOf = async (token: string) => {
    const issuer = `${BASE}/t/vault`
    const { protectedHeader } = await jwtVerify(token, await jwks('vault'), { issuer, audience: TARGET, typ: 'at+jwt' })
    return protectedHeader.kid!
  }
  const rows = async () => {
    const ExpressionAttributeValues = { ':pk': { S: signingKeyPartition('vault') } }
    const KeyConditionExpression = 'pk = :pk'
    const query = new QueryCommand({ TableName: 'mintmark-core', KeyConditionExpression, ExpressionAttributeValues })
    return (await root().send(query)).Items ?? []
  }
  /** As if the time had passed: nobody waits 30 days here. */
  const age = async (state: string, stamp: string, seconds: number) => {
    for (const row of (await rows()).filter((each) => each['state']?.S === state)) {
      const past = Number(row[stamp]?.N) - seconds
      await root().send(new PutItemCommand({ TableName: 'mintmark-core', Item: { ...row, [stamp]: { N: `${past}` } } }))
    }
  }

  test('signs in KMS, with a key of its own that no row holds, and every token verifies as any other does', async () => {
    const before = deployed.aws.recorder.entries().length
    const token = await exchange()
    const entries = deployed.aws.recorder.entries().slice(before)
    const [signed, ...more] = entries.filter(({ action }) => action === 'kms:Sign')
    expect(more).toEqual([])
    expect(signed?.sessionTags).toEqual({ 'mintmark-tenant': 'vault' })
    const held = (await rows()).map(({ sealed }) => Buffer.from(sealed!.B!).toString())
    expect(held).toContain(signed?.resource)
    expect(held.every((arn) => /^arn:aws:kms:eu-west-1:111122223333:key\/[0-9a-f-]{36}$/.test(arn))).toBe(true)
    const kid = await kidOf(token)
    expect((await rows()).map(({ sk }) => sk!.S)).toContain(`KID#${kid}`)
    await expect(jwtVerify(token, await jwks('acme'))).rejects.toThrow()
  })

  test('rotates: the successor is published before it signs, and what its forerunner signed verifies after', async () => {
    const old = await exchange()
    const kid = await kidOf(old)
    const rotated = () =>
      runUntil(
        'keys that were moved',
        () => deployed.functions.rotate(),
        ({ failed }) => failed.length === 0,
      )
    await age('active', 'activatedAt', LIMITS.keyRotationSeconds)
    await rotated()
    expect(await kidOf(await exchange())).toBe(kid)
    const published = JSON.parse((await deployed.get('/t/vault/jwks.json')).body).keys as readonly { kid: string }[]
    const es256 = (await rows())
      .filter(({ alg, use }) => alg?.S === 'ES256' && use?.S === 'token')
      .map(({ sk }) => sk!.S!.slice('KID#'.length))
    expect(es256).toHaveLength(2)
    expect(published.map((each) => each.kid)).toEqual(expect.arrayContaining(es256))
    await age('prepared', 'provenAt', LIMITS.keyPublicationDelaySeconds)
    await rotated()
    let next = kid
    await runUntil(
      'a token that the successor signed',
      async () => {
        next = await kidOf(await exchange())
        return next
      },
      (signedBy) => signedBy !== kid,
    )
    expect(es256).toContain(next)
    expect(await kidOf(old)).toBe(kid)
  })
})

const openSession = () =>
  deployed.exchange('acme', claims('acme'), {
    requested_token_type: 'urn:mintmark:token-type:aws-credentials',
    grant: 'aws',
  })

test('aws-credentials are a session of the role in the document, open to nothing of the broker', async () => {
  const { status, body } = await openSession()
  expect(body).toMatchObject({ issued_token_type: 'urn:mintmark:token-type:aws-credentials' })
  expect(status).toBe(200)
  const session = JSON.parse(body['access_token']!)
  const sts = stsClient({
    ...deployed.aws.client(deployed.aws.rootCredentials),
    credentials: {
      accessKeyId: session.AccessKeyId,
      secretAccessKey: session.SecretAccessKey,
      sessionToken: session.SessionToken ?? session.Token,
    },
  } as never)
  expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toContain(':assumed-role/acme-deployer/')
})

describe('revoked', () => {
  /** The order, sent by an operator and carried out. */
  const revoke = async (selectors: RevocationOrder['selectors']) => {
    const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/mintmark-prod-revoke'
    const order = sampleOrder({ proof: { kind: 'sender' }, selectors })
    const sender = sqsClient(deployed.placeOfRole('mintmark-operator'))
    await createSqsQueue({ client: sender, queueUrl }).send(order, { group: 'acme', dedupe: order.id })
    const poll = () => deliverBatch(sqsClient(deployed.placeOfService('revoke')), queueUrl, deployed.functions.revoke)
    // What it could not do in time is delivered again.
    await until('an order that is carried out', poll, (delivered) => delivered === 0)
  }

  test('P6: an order over the queue is in force for the next exchange, for its tenant alone', async () => {
    const run = { run_id: '31337' }
    expect((await deployed.exchange('acme', claims('acme', run), { audience: TARGET })).status).toBe(200)
    await revoke([{ kind: 'run', issuer: 'github', value: '31337' }])
    expect(await deployed.exchange('acme', claims('acme', run), { audience: TARGET })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    expect((await deployed.exchange('acme', claims('acme'), { audience: TARGET })).status).toBe(200)
    expect((await deployed.exchange('globex', claims('globex', run), { audience: TARGET })).status).toBe(200)
  })

  test('a cloud session: a text that denies it hangs on its role, and on no role of another tenant', async () => {
    const { body } = await openSession()
    const decision = body['decision_id']!
    await revoke([{ kind: 'credential', issuer: '', value: decision }])
    const attached = Object.values(deployed.aws.cloud.roles).flatMap(({ arn, attached: texts }) =>
      texts.map((text) => ({ arn, statement: deployed.aws.cloud.managedPolicies[text]?.Statement[0] })),
    )
    const source = { 'aws:SourceIdentity': `acme.${decision.replaceAll('-', '')}` }
    expect(attached).toContainEqual({
      arn: ROLE,
      statement: expect.objectContaining({ Condition: { StringEquals: source } }),
    })
    expect(new Set(attached.map(({ arn }) => arn))).toEqual(new Set([ROLE]))
  })
})

describe('the log of a tenant', () => {
  const path = '/t/acme/log'
  const text = async (name: string) => {
    const { statusCode, body, isBase64Encoded } = await deployed.get(`${path}/${name}`)
    if (statusCode !== 200) return null
    return isBase64Encoded === true ? Buffer.from(body, 'base64') : Buffer.from(body)
  }
  const source = (leaves: LogSource['leaves']): LogSource => ({
    checkpoint: async () => (await text('checkpoint'))?.toString() ?? null,
    tile: (name) => text(tilePath(name)),
    leaves,
  })
  const settle = () => deployed.functions.checkpoint(SCHEDULED)
  const verified = async (leaves: LogSource['leaves'], earlier: readonly string[] = []) => {
    const vkeys = ((await text('vkeys')) ?? '').toString().trim().split('\n')
    const keys = vkeys.map((line) => parseVerifierKey(nodeSha256, line)!)
    const ports = { hashes: { sha256: nodeSha256, sha256Hex }, verify: nodeVerifyEd25519 }
    return verifyLog(ports, { source: source(leaves), keys, tenant: 'acme', earlier })
  }
  const anchored = () => [...deployed.aws.objects].filter(([name]) => name.includes('/checkpoints/acme/'))

  test('records and denials become a log that is signed, served, anchored once, and verifies with nothing but what is public', async () => {
    const { body } = await deployed.exchange('acme', claims('acme'), { audience: TARGET })
    const jti = decodeJwt(body['access_token']!).jti!
    const denied = await deployed.exchange('acme', 'not.a.jwt', { audience: TARGET })
    await deployed.audit()
    expect(await text('checkpoint')).toBeNull()
    await runUntil(
      'a first checkpoint',
      () => settle(),
      () => anchored().length > 0,
    )
    const log = tableOf('mintmark-log', root(), 20_000)
    const leaves = createLogLeaves(log)
    expect(await leaves.leafOf('acme', jti)).not.toBeNull()
    expect(await leaves.leafOf('acme', denied.body['decision_id']!)).not.toBeNull()
    expect(await createDenialLookup(log).find(denied.body['decision_id']!, 'acme')).toMatchObject({ kind: 'deny' })
    const notes = anchored().map(([, note]) => note)
    expect(notes).toEqual([String(await text('checkpoint'))])
    const answer = await verified((from, limit) => leaves.leaves('acme', from, limit), notes)
    expect(answer).toMatchObject({ bad: null, origin: 'sts.example.com/t/acme/log', earlier: 1 })
    expect(answer.events).toBe(answer.size)
    // Whoever has no right to events.
    expect(await verified(async () => null, notes)).toMatchObject({ bad: null, size: answer.size, events: 0 })
    const { keys } = JSON.parse(String(await text('jwks.json')))
    expect(keys).toEqual([expect.objectContaining({ kty: 'OKP', crv: 'Ed25519' })])
  })

  test('a record that the feed did not bring is appended by a run of audit: it reads what was decided, of an hour that is over', async () => {
    const atSeconds = Math.floor(Date.now() / 1000) - 2 * 3600
    const decisionId = createIds({ nowMs: () => atSeconds * 1000 } as never).decisionId()
    const lost = samplePut('never-brought', { keepUntilSeconds: atSeconds + 86_400 }, { atSeconds, decisionId })
    await createGrantStore(tableOf('mintmark-core', root(), 20_000)).put(lost)
    const log = tableOf('mintmark-log', root(), 20_000)
    const list = createLogList(log)
    for (const { tenant } of await list.compared()) await list.comparedUntil(tenant, hourOf(atSeconds))
    await runUntil(
      'the leaf of what was lost',
      async () => {
        await deployed.functions.audit(SCHEDULED)
        return createLogLeaves(log).leafOf('acme', decisionId)
      },
      (leaf) => leaf !== null,
    )
  })

  test('what grows is signed and anchored by the next run, what does not is left alone, and every earlier root still fits', async () => {
    await settle()
    const before = anchored().length
    await settle()
    expect(anchored()).toHaveLength(before)
    await deployed.exchange('acme', 'not.a.jwt', { audience: TARGET })
    await deployed.audit()
    await runUntil(
      'a checkpoint of what grew',
      () => settle(),
      () => anchored().length > before,
    )
    const notes = anchored().map(([, note]) => note)
    expect(await verified(async () => null, notes)).toMatchObject({ bad: null, earlier: before + 1 })
  })

  test('a log that was written anew does not fit what is anchored: said aloud, and verify names it', async () => {
    const [name, note] = anchored().at(-1)!
    const other = note.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(32, 7).toString('base64')}\n`)
    deployed.aws.objects.set(name, other)
    const anchor = createS3Anchor({
      bucket: name.split('/')[0]!,
      objectsOf: async () => createS3Objects(deployed.aws.client(deployed.aws.rootCredentials) as ClientPlace),
    })
    const [, , , size] = name.split('/')
    const again = { tenant: 'acme', size: Number(size ?? name.split('/').at(-1)), note, seenSize: 0, proof: [] }
    expect(await anchor.add(again)).toEqual({ kind: 'disagrees' })
    deployed.aws.objects.set(name, note)
    expect(await anchor.add(again)).toEqual({ kind: 'kept', note })
    expect(await verified(async () => null, [other])).toMatchObject({ bad: { problem: 'checkpoint_invalid' } })
  })

  test('a silo signs its log with a key that never leaves KMS', async () => {
    await deployed.exchange('vault', 'not.a.jwt', { audience: TARGET })
    await deployed.audit()
    await runUntil('a checkpoint of the vault', settle, () =>
      [...deployed.aws.objects.keys()].some((name) => name.includes('/checkpoints/vault/')),
    )
    const note = (await deployed.get('/t/vault/log/checkpoint')).body
    const vkey = parseVerifierKey(nodeSha256, (await deployed.get('/t/vault/log/vkeys')).body.trim())!
    expect(openNote({ sha256: nodeSha256, verify: nodeVerifyEd25519 }, note, [vkey])).not.toBeNull()
    expect(
      deployed.aws.recorder
        .entries()
        .some(({ action, context }) => action === 'kms:Sign' && context['kms:SigningAlgorithm'] === 'ED25519_SHA_512'),
    ).toBe(true)
  })
})

boundCallerSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
callerSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
eventSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
receiverSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
pushLatencySuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
sinkSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)

adminSuite(
  () => deployed,
  (tenant, more) => claims(tenant, more),
)
eraseSuite(() => deployed, { evidence: (tenant) => claims(tenant), root })

test('every call of this file was allowed by the policies as they are packaged', () => {
  expect(refused().map(({ principal, action, resource }) => ({ by: principal.role, action, resource }))).toEqual([])
})
