// SQS for tests: fauxqs in this process, and a poller that does what Lambda's event source does with ReportBatchItemFailures.
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import type { BatchResponse, QueueEvent } from '../../lib/wire/lambda-events.ts'

export const sqsClient = (server: FauxqsServer): SQSClient =>
  new SQSClient({
    endpoint: server.address,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 2,
  })

export const startQueues = async () => {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  const client = sqsClient(server)
  return {
    server,
    client,
    /** A queue and its dead-letter queue, as the stack has them. */
    create: (name: string, maxReceiveCount: number) => {
      const dlq = server.createQueue(`${name}-dlq`)
      const redrive = JSON.stringify({ deadLetterTargetArn: dlq.queueArn, maxReceiveCount })
      const queue = server.createQueue(name, { attributes: { RedrivePolicy: redrive, VisibilityTimeout: '30' } })
      return { queueUrl: queue.queueUrl, dlqUrl: dlq.queueUrl }
    },
    close: async () => {
      client.destroy()
      await server.stop()
    },
  }
}

export type Queues = Awaited<ReturnType<typeof startQueues>>

/** One batch of what is visible, at most ten, settled by the function's answer. How many messages it had. */
export const deliverBatch = async (
  client: SQSClient,
  queueUrl: string,
  handler: (event: QueueEvent) => Promise<BatchResponse>,
  /** Who makes visible at once what comes again; Lambda waits until it is. */
  again = client,
  /** How long an empty queue is waited at. */
  waitSeconds = 0,
): Promise<number> => {
  const { Messages: messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
      WaitTimeSeconds: waitSeconds,
    }),
  )
  if (messages.length === 0) return 0
  const { batchItemFailures } = await handler({ Records: messages.map(recordOf) })
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  for (const { MessageId, ReceiptHandle } of messages) {
    const handle = { QueueUrl: queueUrl, ReceiptHandle: ReceiptHandle! }
    if (failed.has(MessageId!))
      await again.send(new ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout: 0 }))
    else await client.send(new DeleteMessageCommand(handle))
  }
  return messages.length
}

const recordOf = ({ MessageId, Body, Attributes }: Message): QueueEvent['Records'][number] => ({
  messageId: MessageId!,
  body: Body!,
  attributes: Attributes as never,
})

export const putRaw = async (client: SQSClient, queueUrl: string, body: string): Promise<void> => {
  await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))
}

/** What lies in a queue, looked at without a delivery. */
export const messagesIn = ({ server }: Queues, name: string) =>
  (server.inspectQueue(name)?.messages.ready ?? []).map(({ body, messageAttributes }) => ({
    body,
    reason: messageAttributes?.['reason']?.StringValue ?? null,
  }))
