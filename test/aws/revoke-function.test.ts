// The revoke function from its SQS queue to the rows that mint reads in DynamoDB: in force when the batch is answered.
import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { expect, onTestFinished, test } from 'vitest'
import { createHandler } from '../../functions/revoke/handler.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { createSenderProofs } from '../../lib/adapters/aws/sender-proofs.ts'
import { createSqsQuarantine, createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { QueueEvent } from '../../lib/wire/lambda-events.ts'
import { sampleOrder } from '../contract/sample-rows.ts'
import { createTables, localDynamo } from '../support/dynamodb-local.ts'
import { deliverBatch, messagesIn, putRaw, startQueues } from '../support/fauxqs-queues.ts'

const ROLE = 'AROAEXAMPLEOPERATOR00'
const project = { kind: 'project', issuer: 'github', value: '7654321' } as const

const open = async () => {
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 5 })
  const table = tableOf((await createTables()).core, client)
  const queues = await startQueues()
  onTestFinished(async () => {
    client.destroy()
    await queues.close()
  })
  const { queueUrl, dlqUrl } = queues.create('revoke', LIMITS.queueReceivesMax)
  const handler = createHandler({
    ports: {
      proofs: createSenderProofs([ROLE]),
      revocations: createRevocationStore(table),
      orders: createAppliedOrders(table),
      clock: systemClock,
      ids: createIds(systemClock),
    },
    quarantine: createSqsQuarantine({ client: queues.client, queueUrl: dlqUrl }),
    log: { error: () => undefined },
  })
  const state = createTenantState(table)
  return {
    handler,
    /** fauxqs names nobody as sender; the service does. */
    sentBy: (sender: string) => (event: QueueEvent) =>
      handler({
        Records: event.Records.map((record) => ({
          ...record,
          attributes: { ...record.attributes, SenderId: sender },
        })),
      }),
    deliver: (of: typeof handler) => deliverBatch(queues.client, queueUrl, of),
    queue: createSqsQueue({ client: queues.client, queueUrl }),
    putRaw: (body: string) => putRaw(queues.client, queueUrl, body),
    quarantined: () => messagesIn(queues, 'revoke-dlq'),
    revocations: async (tenant = 'acme') =>
      (await state.read({ tenant, selectors: [project], kid: null, asksConfig: false })).revocations,
  }
}

test('P6: when the batch is answered, the next strong read of mint has the block', async () => {
  const aws = await open()
  const order = sampleOrder({ proof: { kind: 'sender' } })
  await aws.queue.send(order, { group: 'acme', dedupe: order.id })
  expect(await aws.revocations()).toEqual([])
  await aws.deliver(aws.sentBy(`${ROLE}:ops`))
  expect(await aws.revocations()).toMatchObject([{ ...project, form: 'block', by: `aws:${ROLE}:ops` }])
  expect(await aws.revocations('globex')).toEqual([])
})

test('one poison, one forged and one wrong-tenant message in a batch of five: two orders are in force, three quarantined', async () => {
  const aws = await open()
  const good = [0, 1].map((at) =>
    sampleOrder({ proof: { kind: 'sender' }, selectors: [project, { ...project, value: `other-${at}` }] }),
  )
  const record = (body: object | string, sender: string, group = 'acme') => ({
    messageId: randomUUID(),
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1', SenderId: sender, MessageGroupId: group },
  })
  const answer = await aws.handler({
    Records: [
      record(good[0]!, `${ROLE}:ops`),
      record('{"v":2}', `${ROLE}:ops`),
      record(sampleOrder({ proof: { kind: 'uid', uid: 0 } }), `${ROLE}:ops`),
      record({ ...good[0]!, id: randomUUID() }, `${ROLE}:ops`, 'globex'),
      record(good[1]!, `${ROLE}:ops`),
    ],
  })
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(
    aws
      .quarantined()
      .map(({ reason }) => reason)
      .toSorted(),
  ).toEqual(['not_an_order', 'proof_not_accepted', 'wrong_tenant'])
  expect(await aws.revocations()).toHaveLength(1)
})

test('delivered twice, and once by two instances at the same time: one block', async () => {
  const aws = await open()
  const order = sampleOrder({ proof: { kind: 'sender' } })
  const event: QueueEvent = {
    Records: [
      {
        messageId: 'm',
        body: JSON.stringify(order),
        attributes: { ApproximateReceiveCount: '1', SenderId: `${ROLE}:ops` },
      },
    ],
  }
  const answers = await Promise.all([aws.handler(event), aws.handler(event), aws.handler(event)])
  expect(answers.every(({ batchItemFailures }) => batchItemFailures.length === 0)).toBe(true)
  await aws.handler(event)
  expect(await aws.revocations()).toHaveLength(1)
})
