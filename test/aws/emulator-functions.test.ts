// Lambda's Invoke and IAM's role policies behind the emulator: who may call whom, what a failing function looks like, and that a
// deny written by `revoke` bites the very next call.
import {
  AttachRolePolicyCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { ACME_ROLE, DATA_ROLE, DENY_ALL, MINT_ROLE, QUEUE, sampleCloud } from '../support/aws/sample-cloud.ts'

let aws: Aws
beforeAll(async () => {
  // Nothing listens there: what is refused never gets so far.
  aws = await startAws({ cloud: sampleCloud, sqs: 'http://127.0.0.1:9' })
})
beforeEach(() => aws.replaceCloud(sampleCloud))
afterAll(() => aws.stop())

describe('Invoke', () => {
  const invoke = (FunctionName: string, payload: unknown, more: object = {}, fn = 'mint') =>
    new LambdaClient({ ...aws.client(aws.credentialsFor(fn)), maxAttempts: 1 }).send(
      new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(payload)), ...more }),
    )
  const text = (payload: Uint8Array | undefined): unknown =>
    JSON.parse(Buffer.from(payload!).toString('utf8') || 'null')

  test('hands over JSON and nothing else, with the tenant in the context, and back', async () => {
    aws.functions.register('mintmark-prod-trust', (event, context) => ({
      event,
      fn: context.functionName,
      tenant: context.tenantId,
    }))
    const { Payload, FunctionError, StatusCode } = await invoke(
      'mintmark-prod-trust',
      { at: new Date(0) },
      { TenantId: 'acme' },
    )
    expect(text(Payload)).toEqual({
      event: { at: '1970-01-01T00:00:00.000Z' },
      fn: 'mintmark-prod-trust',
      tenant: 'acme',
    })
    expect({ FunctionError, StatusCode }).toEqual({ FunctionError: undefined, StatusCode: 200 })
  })

  test('of a function that throws is a 200 with a function error, which a caller who looks at the status only would miss', async () => {
    aws.functions.register('mintmark-prod-trust', () => {
      throw new TypeError('broken')
    })
    const { Payload, FunctionError, StatusCode } = await invoke('mintmark-prod-trust', {})
    expect(text(Payload)).toMatchObject({ errorType: 'TypeError', errorMessage: 'broken' })
    expect({ FunctionError, StatusCode }).toEqual({ FunctionError: 'Unhandled', StatusCode: 200 })
  })

  test('as an event answers at once and runs later; its error is kept where no caller sees it', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    aws.functions.register('mintmark-prod-trust', async () => {
      await held
      throw new Error('later')
    })
    expect((await invoke('mintmark-prod-trust', {}, { InvocationType: 'Event' })).StatusCode).toBe(202)
    expect(aws.functions.asyncFailures).toEqual([])
    release()
    await aws.functions.idle()
    expect(aws.functions.asyncFailures).toMatchObject([{ message: 'later' }])
  })

  test('is refused to whom no policy names, by name, ARN or qualifier', async () => {
    aws.functions.register('mintmark-prod-mint', () => 'minted')
    const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-mint'
    for (const name of ['mintmark-prod-mint', arn, `${arn}:live`]) {
      await expect(invoke(name, {}, {}, 'revoke')).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
  })

  test('of a function nobody registered is not found, and of a busy one is throttled', async () => {
    const widened = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }],
    } as const
    const mint = sampleCloud.roles[MINT_ROLE]!
    aws.replaceCloud({ ...sampleCloud, roles: { ...sampleCloud.roles, [MINT_ROLE]: { ...mint, inline: { widened } } } })
    await expect(invoke('mintmark-prod-none', {})).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    aws.faults.inject([{ action: 'lambda:Invoke', kind: 'throttle', percent: 100, times: 1 }])
    await expect(invoke('mintmark-prod-none', {})).rejects.toMatchObject({ name: 'TooManyRequestsException' })
  })
})

describe('role policies', () => {
  const RoleName = 'mintmark-acme-deployer'
  const revoke = () => new IAMClient(aws.client(aws.credentialsFor('revoke')))
  const workload = () =>
    new SQSClient({
      ...aws.client(
        aws.credentialsForRole(ACME_ROLE, { tags: { 'mintmark-tenant': 'acme' }, sourceIdentity: 'acme.r42' }),
      ),
      maxAttempts: 1,
    })
  const send = () =>
    workload().send(new SendMessageCommand({ QueueUrl: `https://sqs/1/${QUEUE.split(':').at(-1)}`, MessageBody: 'x' }))
  const outcomes = () => aws.recorder.entries().map(({ action, decision }) => [action, decision.outcome])

  test('a deny put on a role decides the next call of a session that already lived', async () => {
    const session = workload()
    const before = new SendMessageCommand({ QueueUrl: 'https://sqs/1/mintmark-prod-revoke', MessageBody: 'x' })
    // The decision is what counts here; behind it is no engine.
    aws.faults.inject([{ action: 'sqs:SendMessage', kind: 'error', percent: 100 }])
    await expect(session.send(before)).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
    const deny = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'OneRun',
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { StringLike: { 'aws:SourceIdentity': 'acme.r42' } },
        },
      ],
    }
    await revoke().send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'mintmark-deny', PolicyDocument: JSON.stringify(deny) }),
    )
    await expect(session.send(before)).rejects.toMatchObject({ message: expect.stringContaining('explicit deny') })
    const { PolicyDocument } = await revoke().send(new GetRolePolicyCommand({ RoleName, PolicyName: 'mintmark-deny' }))
    expect(JSON.parse(decodeURIComponent(PolicyDocument!))).toEqual(deny)
    aws.faults.inject([])
  })

  test('a ready-made deny text may be attached, no other policy, and none may be taken off', async () => {
    await revoke().send(new AttachRolePolicyCommand({ RoleName, PolicyArn: DENY_ALL }))
    const root = new IAMClient(aws.client(aws.rootCredentials))
    const { AttachedPolicies } = await root.send(new ListAttachedRolePoliciesCommand({ RoleName }))
    expect(AttachedPolicies).toEqual([{ PolicyName: 'mintmark-deny-all', PolicyArn: DENY_ALL }])
    await expect(send()).rejects.toMatchObject({ message: expect.stringContaining('explicit deny') })
    const refused = { name: 'AccessDenied' }
    const other = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await expect(revoke().send(new AttachRolePolicyCommand({ RoleName, PolicyArn: other }))).rejects.toMatchObject(
      refused,
    )
    await expect(revoke().send(new DetachRolePolicyCommand({ RoleName, PolicyArn: DENY_ALL }))).rejects.toMatchObject(
      refused,
    )
    await expect(revoke().send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'own' }))).rejects.toMatchObject(
      refused,
    )
  })

  test('a role without the boundary, or outside the path, cannot be written', async () => {
    const put = (role: string) =>
      revoke().send(
        new PutRolePolicyCommand({
          RoleName: role,
          PolicyName: 'x',
          PolicyDocument: JSON.stringify(sampleCloud.roles[DATA_ROLE]!.trust),
        }),
      )
    aws.recorder.clear()
    await expect(put('mintmark-data-mint')).rejects.toMatchObject({ name: 'AccessDenied' })
    const { boundary: _, ...unbounded } = sampleCloud.roles[ACME_ROLE]!
    aws.replaceCloud({ ...sampleCloud, roles: { ...sampleCloud.roles, [ACME_ROLE]: unbounded } })
    await expect(put(RoleName)).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(outcomes()).toEqual([
      ['iam:PutRolePolicy', 'ImplicitlyDenied'],
      ['iam:PutRolePolicy', 'ImplicitlyDenied'],
    ])
  })

  test('a policy that is none, or too long, is refused by IAM itself', async () => {
    const put = (PolicyDocument: string) =>
      revoke().send(new PutRolePolicyCommand({ RoleName, PolicyName: 'x', PolicyDocument }))
    await expect(put('{')).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
    await expect(put('{"Version":"2012-10-17","Statement":[{"Effect":"Allw"}]}')).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    })
    const long = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: {
            StringLike: { 'aws:SourceIdentity': Array.from({ length: 500 }, (_, run) => `acme.run-${run}-of-many`) },
          },
        },
      ],
    }
    await expect(put(JSON.stringify(long))).rejects.toMatchObject({ name: 'LimitExceededException' })
  })

  test('an action that is not served is judged all the same', async () => {
    aws.recorder.clear()
    const command = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: '{}' })
    await expect(revoke().send(command)).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(outcomes()).toEqual([['iam:UpdateAssumeRolePolicy', 'ImplicitlyDenied']])
  })
})
