// Secrets Manager: one operation, one secret a name, with its tags. What a test put there is read by whoever the policies let.
import { type Answer, AwsError, jsonAnswer } from './answer.ts'
import { stringOf } from './call.ts'
import { arnIn, type Cloud } from './cloud.ts'
import type { Service } from './service.ts'

/** By name. */
export type Secrets = Map<string, { readonly value: string; readonly tags: Readonly<Record<string, string>> }>

/** One that a transmitter of events shares with a tenant, as docs/deploy-aws.md makes it. */
export const senderSecret = (value: string) => ({ value, tags: { 'mintmark-use': 'events' } })

/** One that is shown at a receiver of a tenant. */
export const receiverSecret = (value: string) => ({ value, tags: { 'mintmark-use': 'receivers' } })
/** One that a sink gave to a tenant. */
export const sinkSecret = (value: string) => ({ value, tags: { 'mintmark-use': 'sinks' } })

export const secretsService = (secrets: Secrets, cloud: () => Cloud): Service => {
  const nameIn = (input: Parameters<typeof stringOf>[0]): string => stringOf(input, 'SecretId') ?? ''
  // AWS ends the ARN of a secret with six characters of its own.
  const arnOf = (name: string): string => arnIn(cloud(), 'secretsmanager', `secret:${name}-AbCdEf`)
  return {
    asks: (call) => {
      const name = nameIn(call.input)
      const tags = Object.entries(secrets.get(name)?.tags ?? {})
      const context = Object.fromEntries(tags.map(([key, value]) => [`aws:ResourceTag/${key}`, value]))
      return [{ action: `secretsmanager:${call.operation}`, resource: arnOf(name), context }]
    },
    serve: (call): Answer => {
      const name = nameIn(call.input)
      const secret = secrets.get(name)
      if (call.operation !== 'GetSecretValue' || secret === undefined)
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
      return jsonAnswer({ ARN: arnOf(name), Name: name, SecretString: secret.value })
    },
  }
}
