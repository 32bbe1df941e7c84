// Queues on SQS. Standard queues, made fair by MessageGroupId (the tenant): a flood of one tenant is served behind the others,
// never dropped; what is urgent is of a group of its own, which is a quiet one. They deliver at least once and in no order, which is all the port promises; they do not drop repeats.
import { randomUUID } from 'node:crypto'
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Quarantine, Queue } from '../../ports/queue.ts'
import { urgentGroup } from '../../wire/lambda-events.ts'

export type SqsTarget = { readonly client: SQSClient; readonly queueUrl: string }

/** SQS takes at most ten messages and 1 MiB at once; 3 of at most 256 KiB each stay below it whatever they are. */
const BATCH_MAX = 3

export const createSqsQueue = ({ client, queueUrl }: SqsTarget): Queue => ({
  async send(message, { group, isUrgent = false }) {
    const command = new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: bodyText(JSON.stringify(message)),
      MessageGroupId: isUrgent ? urgentGroup(group) : group,
    })
    await answered(client.send(command, bounded()))
  },
})

/** The dead-letter queue of a consumer: what SQS moves there by itself has no reason, what we put there has one. */
export const createSqsQuarantine = ({ client, queueUrl }: SqsTarget): Quarantine => ({
  async put({ body, group }, reason) {
    const command = new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body,
      MessageAttributes: { reason: { DataType: 'String', StringValue: reason } },
      ...(group === '' ? {} : { MessageGroupId: group }),
    })
    await answered(client.send(command, bounded()))
  },
})

export type Outgoing = { readonly body: string; readonly group: string }

/** Sends what it can; resolves to those that were not, or may not have been, taken. */
export const sendAll = async (
  { client, queueUrl }: SqsTarget,
  messages: readonly Outgoing[],
): Promise<readonly Outgoing[]> => {
  const unsent: Outgoing[] = []
  for (let at = 0; at < messages.length; at += BATCH_MAX) {
    const some = messages.slice(at, at + BATCH_MAX)
    const entries = some.map(({ body, group }) => ({
      Id: randomUUID(),
      MessageBody: bodyText(body),
      MessageGroupId: group,
    }))
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
    const taken = await client.send(command, bounded()).then(
      ({ Successful = [] }) => new Set(Successful.map(({ Id }) => Id)),
      () => new Set<string>(),
    )
    unsent.push(...some.filter((_, index) => !taken.has(entries[index]!.Id)))
  }
  return unsent
}

/**
 * JSON as SQS takes it: it refuses two characters that JSON does not (and that a claim may hold), for the whole message. Escaped
 * they are the same JSON.
 */
const bodyText = (json: string): string => json.replaceAll('\uFFFE', '\\ufffe').replaceAll('\uFFFF', '\\uffff')

/** All tries together: somebody waits. */
const bounded = () => ({ abortSignal: AbortSignal.timeout(LIMITS.queueSendMs) })

const answered = async (sent: Promise<unknown>): Promise<void> => {
  try {
    await sent
  } catch (error) {
    throw new Unavailable('store_unavailable', undefined, { cause: error })
  }
}
