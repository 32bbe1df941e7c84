// SQS behind the emulator: a real engine, our permissions, names translated both ways and messages never.
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { document } from '../support/aws/cloud.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { ACCOUNT, POOL_KEY, QUEUE, REVOKE_ROLE, sampleCloud } from '../support/aws/sample-cloud.ts'

let engine: FauxqsServer
let aws: Aws
let root: SQSClient
let revoke: SQSClient
const QueueUrl = `https://sqs.eu-west-1.amazonaws.com/${ACCOUNT}/mintmark-prod-revoke`

beforeAll(async () => {
  engine = await startFauxqs({ port: 0, logger: false })
  aws = await startAws({ cloud: sampleCloud, sqs: engine.address })
  root = new SQSClient(aws.client(aws.rootCredentials))
  revoke = new SQSClient(aws.client(aws.credentialsFor('revoke')))
  await root.send(new CreateQueueCommand({ QueueName: 'mintmark-prod-revoke-dlq' }))
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `${QUEUE}-dlq`, maxReceiveCount: 2 })
  const made = await root.send(
    new CreateQueueCommand({
      QueueName: 'mintmark-prod-revoke',
      Attributes: { RedrivePolicy, VisibilityTimeout: '0' },
    }),
  )
  expect(made.QueueUrl).toMatch(new RegExp(`/${ACCOUNT}/mintmark-prod-revoke$`))
})
afterAll(async () => {
  await aws.stop()
  await engine.stop()
})

test('a consumer takes and deletes what was sent; its ARNs are those of the account', async () => {
  const body = `keeps arn:aws:sqs:eu-west-1:000000000000:x as it was written`
  await root.send(new SendMessageCommand({ QueueUrl, MessageBody: body }))
  const { Messages } = await revoke.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 30 }))
  expect(Messages?.[0]?.Body).toBe(body)
  await revoke.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages![0]!.ReceiptHandle! }))
  const { Attributes } = await revoke.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  expect(Attributes).toMatchObject({ QueueArn: QUEUE, ApproximateNumberOfMessages: '0' })
  expect(JSON.parse(Attributes!['RedrivePolicy']!).deadLetterTargetArn).toBe(`${QUEUE}-dlq`)
})

test('a message received too often goes to the dead-letter queue: the redrive policy reached the engine', async () => {
  await root.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }))
  const dead = { QueueUrl: `${QueueUrl}-dlq` }
  for (let round = 0; round < 3; round++) await root.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }))
  const { Messages } = await root.send(new ReceiveMessageCommand(dead))
  expect(Messages?.[0]?.Body).toBe('poison')
})

test('a consumer may not send, and a batch needs the permission of the single operation', async () => {
  aws.recorder.clear()
  const refused = { name: 'AccessDeniedException' }
  await expect(revoke.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toMatchObject(refused)
  const Entries = [{ Id: '1', MessageBody: 'x' }]
  await expect(revoke.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject(refused)
  await expect(revoke.send(new GetQueueUrlCommand({ QueueName: 'mintmark-prod-revoke' }))).rejects.toMatchObject(
    refused,
  )
  expect(aws.recorder.entries().map(({ action, resource }) => [action, resource])).toEqual([
    ['sqs:SendMessage', QUEUE],
    ['sqs:SendMessage', QUEUE],
    ['sqs:GetQueueUrl', QUEUE],
  ])
})

test('a queue policy denies what the role allows, and grants what the role does not', async () => {
  const policy = document(
    { Sid: 'NoReading', Effect: 'Deny', Principal: '*', Action: 'sqs:ReceiveMessage', Resource: QUEUE },
    {
      Sid: 'RevokeSends',
      Effect: 'Allow',
      Principal: { AWS: REVOKE_ROLE },
      Action: 'sqs:SendMessage',
      Resource: QUEUE,
    },
  )
  aws.replaceCloud({ ...sampleCloud, resources: { ...sampleCloud.resources, [QUEUE]: { policy } } })
  await expect(revoke.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
  await expect(revoke.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).resolves.toBeDefined()
  aws.replaceCloud(sampleCloud)
})

test("a queue under a customer's key asks the consumer for that key, which SQS uses without passing the consumer's network", async () => {
  aws.replaceCloud({
    ...sampleCloud,
    resources: { ...sampleCloud.resources, [QUEUE]: { encryptedWith: POOL_KEY } },
    functions: { 'mintmark-prod-revoke': { role: REVOKE_ROLE, isIsolated: true } },
    endpoints: { sqs: document({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }) },
  })
  aws.recorder.clear()
  await expect(revoke.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining('kms:Decrypt'),
  })
  const [receive, decrypt] = aws.recorder.entries()
  expect(receive).toMatchObject({ from: 'mintmark-prod-revoke', decision: { outcome: 'Allowed' } })
  expect(decrypt).toMatchObject({
    action: 'kms:Decrypt',
    resource: POOL_KEY,
    context: { 'kms:ViaService': 'sqs.eu-west-1.amazonaws.com', 'kms:EncryptionContext:aws:sqs:arn': QUEUE },
    decision: { outcome: 'ExplicitlyDenied' },
  })
  expect(decrypt).not.toHaveProperty('from')
  aws.replaceCloud(sampleCloud)
})
