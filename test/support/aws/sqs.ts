// SQS: the permission of each operation on its queue, then fauxqs serves. fauxqs has an account of its own; ARNs and URLs are
// translated on the way, never inside a message, and a message is received with the name of its sender. A queue under a customer's key asks for that key as well, as AWS does: the
// trap that lets a queue look writable until the first message.
import type { Answer } from './answer.ts'
import { type Json, type JsonObject, objectOf, objectsOf, stringOf } from './call.ts'
import { arnIn, type Cloud, findRole } from './cloud.ts'
import { encryptionAsks } from './encryption.ts'
import { forward } from './forward.ts'
import type { Service } from './service.ts'
import type { Caller } from './sessions.ts'

const FAUXQS_ACCOUNT = '000000000000'

export const sqsService = (engine: string, cloud: () => Cloud): Service => {
  /** Message id -> who sent it, as AWS tells the receiver and no sender can. */
  const senders = new Map<string, string>()
  return {
    asks: (call) => {
      const name = queueName(call.input)
      // A batch needs the permission of the single operation.
      const action = `sqs:${call.operation.replace(/Batch$/, '')}`
      if (name === undefined) return [{ action, resource: '*', context: {} }]
      const resource = arnIn(cloud(), 'sqs', name)
      const actions = KEY_ACTIONS[call.operation] ?? []
      const use = { service: 'sqs', actions, encryptionContext: { 'aws:sqs:arn': resource } } as const
      return [{ action, resource, context: {} }, ...encryptionAsks(cloud(), resource, use)]
    },
    serve: async (call, caller): Promise<Answer> => {
      const { account } = cloud()
      const toEngine = rename(call.input, account, FAUXQS_ACCOUNT)
      const answer = await forward(engine, call, JSON.stringify(toEngine))
      const text = answer.body.toString('utf8')
      if (text === '') return answer
      const body = rename(JSON.parse(text) as Json, FAUXQS_ACCOUNT, account) as JsonObject
      const sender = senderOf(caller, cloud())
      for (const { MessageId } of [body, ...objectsOf(body, 'Successful')])
        if (typeof MessageId === 'string' && sender !== null) senders.set(MessageId, sender)
      return { ...answer, body: JSON.stringify(withSenders(body, senders)) }
    },
  }
}

/** `AROA…:session`. */
const senderOf = (caller: Caller | null, cloud: Cloud): string | null => {
  if (caller?.kind !== 'session') return null
  const role = findRole(cloud, caller.session.role)
  return role === undefined ? null : `${role.roleId}:${caller.session.sessionName}`
}

const withSenders = (body: JsonObject, senders: ReadonlyMap<string, string>): JsonObject => {
  if (!Array.isArray(body['Messages'])) return body
  const Messages = objectsOf(body, 'Messages').map((message) => {
    const SenderId = senders.get(stringOf(message, 'MessageId') ?? '')
    const Attributes = objectOf(message, 'Attributes')
    return SenderId === undefined ? message : { ...message, Attributes: { ...Attributes, SenderId } }
  })
  return { ...body, Messages }
}

/** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME` -> NAME. */
const queueName = (input: JsonObject): string | undefined =>
  stringOf(input, 'QueueUrl')?.split('/').at(-1) ?? stringOf(input, 'QueueName')

/** Amazon SQS developer guide, "Key management": a producer needs both, a consumer only Decrypt. */
const KEY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  SendMessage: ['kms:GenerateDataKey', 'kms:Decrypt'],
  SendMessageBatch: ['kms:GenerateDataKey', 'kms:Decrypt'],
  ReceiveMessage: ['kms:Decrypt'],
}

const QUEUE_NAME = /(arn:aws:sqs:[\w-]+:|https?:\/\/[^/]+\/)(\d{12})(?=[:/])/g
/** What senders wrote: never touched. */
const MESSAGE_MEMBERS = new Set(['Body', 'MessageBody', 'MessageAttributes'])

/** Replaces the account in every queue ARN and URL. */
const rename = (value: Json | undefined, from: string, to: string): Json => {
  if (typeof value === 'string') {
    return value.replace(QUEUE_NAME, (whole, before: string, account: string) =>
      account === from ? before + to : whole,
    )
  }
  if (Array.isArray(value)) return value.map((each) => rename(each, from, to))
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, child]) => [
      name,
      MESSAGE_MEMBERS.has(name) ? (child ?? null) : rename(child, from, to),
    ]),
  )
}
