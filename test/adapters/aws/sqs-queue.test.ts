// What is SQS's own about our queues: fair groups, lost answers, and text it refuses.
import type { SendMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSqsQuarantine, createSqsQueue, sendAll } from '../../../lib/adapters/aws/sqs-queue.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { tenantOfGroup } from '../../../lib/wire/lambda-events.ts'
import { messagesIn, type Queues, sqsClient, startQueues } from '../../support/fauxqs-queues.ts'

let queues: Queues
let target: { client: SQSClient; queueUrl: string }
beforeEach(async () => {
  queues = await startQueues()
  target = { client: sqsClient(queues.server), queueUrl: queues.create('revoke', 5).queueUrl }
})
afterEach(async () => {
  target.client.destroy()
  await queues.close()
})

/** Sees what is sent; with `loses`, the queue has the message and the answer does not come back. */
const watch = (loses: (attempt: number) => boolean = () => false) => {
  const inputs: SendMessageCommandInput[] = []
  let attempt = 0
  target.client.middlewareStack.add(
    (next) => async (args) => {
      inputs.push(args.input as SendMessageCommandInput)
      const answer = await next(args)
      attempt += 1
      if (loses(attempt)) throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError', $retryable: {} })
      return answer
    },
    { step: 'deserialize', priority: 'low' },
  )
  return inputs
}

test('every message carries its tenant as fair-queue group, and no FIFO parameter, which a standard queue refuses', async () => {
  const inputs = watch()
  await createSqsQueue(target).send({ id: 'a' }, { group: 'acme', dedupe: 'a' })
  await sendAll(target, [{ body: '{}', group: 'globex' }])
  await createSqsQuarantine(target).put({ body: '{}', group: 'acme' }, 'not_json')
  expect(inputs[0]).toMatchObject({ MessageGroupId: 'acme' })
  expect(inputs[1]).toMatchObject({ Entries: [{ MessageGroupId: 'globex' }] })
  expect(inputs[2]).toMatchObject({ MessageGroupId: 'acme' })
  expect(JSON.stringify(inputs)).not.toContain('Deduplication')
})

test('an urgent message is of a group of its own, which the consumer knows as the tenant it is of', async () => {
  const inputs = watch()
  await createSqsQueue(target).send({ id: 'a' }, { group: 'acme', dedupe: 'a', isUrgent: true })
  expect(inputs[0]).toMatchObject({ MessageGroupId: 'acme.urgent' })
  expect(tenantOfGroup(String(inputs[0]?.MessageGroupId))).toBe('acme')
})

test('an answer that is lost is Unavailable, or a repeat under the same id: never a message less', async () => {
  watch((attempt) => attempt === 1)
  await createSqsQueue(target).send({ id: 'a' }, { group: 'acme', dedupe: 'a' })
  expect(messagesIn(queues, 'revoke').map(({ body }) => body)).toEqual(['{"id":"a"}', '{"id":"a"}'])
})

test('a queue that does not answer is Unavailable, with nothing of the SDK in its message', async () => {
  watch(() => true)
  const sent = createSqsQueue(target).send({ id: 'a' }, { group: 'acme', dedupe: 'a' })
  await expect(sent).rejects.toThrow(new Unavailable('store_unavailable'))
  expect(await sendAll(target, [{ body: '{"id":"b"}', group: 'acme' }])).toEqual([
    { body: '{"id":"b"}', group: 'acme' },
  ])
})

test('of a batch that is taken in part the rest is given back', async () => {
  const messages = ['a', 'b', 'c', 'd'].map((id) => ({ body: id === 'c' ? '\u0001' : id, group: 'acme' }))
  expect(await sendAll(target, messages)).toEqual([messages[2]])
  expect(messagesIn(queues, 'revoke').map(({ body }) => body)).toEqual(['a', 'b', 'd'])
})

test('characters that JSON allows and SQS refuses arrive as they were', async () => {
  const hostile = { value: '\uFFFE\uFFFF "\\ \u2028 \u202E é' }
  await createSqsQueue(target).send(hostile, { group: 'acme', dedupe: 'a' })
  expect(JSON.parse(messagesIn(queues, 'revoke')[0]!.body)).toEqual(hostile)
})
