// Wakes on SQS: the delay is the queue's own. In the group of the tenant, so that one with many receivers that fail holds up no other.
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Wakes } from '../../ports/wakes.ts'
import { writeWake } from '../../wire/push-wake.ts'
import type { SqsTarget } from './sqs-queue.ts'

export const createSqsWakes = ({ client, queueUrl }: SqsTarget): Wakes => ({
  async wake(tenant, delayMs) {
    const command = new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: writeWake(tenant),
      MessageGroupId: tenant,
      DelaySeconds: Math.ceil(delayMs / 1_000),
    })
    try {
      await client.send(command, { abortSignal: AbortSignal.timeout(LIMITS.queueSendMs) })
    } catch (error) {
      throw new Unavailable('store_unavailable', undefined, { cause: error })
    }
  },
})
