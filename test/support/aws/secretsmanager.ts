// Secrets Manager: one operation, one secret a name. What a test put there is read by whoever the policies let.
import { type Answer, AwsError, jsonAnswer } from './answer.ts'
import { stringOf } from './call.ts'
import { arnIn, type Cloud } from './cloud.ts'
import type { Service } from './service.ts'

/** Name -> value. */
export type Secrets = Map<string, string>

export const secretsService = (secrets: Secrets, cloud: () => Cloud): Service => {
  const nameIn = (input: Parameters<typeof stringOf>[0]): string => stringOf(input, 'SecretId') ?? ''
  // AWS ends the ARN of a secret with six characters of its own.
  const arnOf = (name: string): string => arnIn(cloud(), 'secretsmanager', `secret:${name}-AbCdEf`)
  return {
    asks: (call) => [{ action: `secretsmanager:${call.operation}`, resource: arnOf(nameIn(call.input)), context: {} }],
    serve: (call): Answer => {
      const name = nameIn(call.input)
      const value = secrets.get(name)
      if (call.operation !== 'GetSecretValue' || value === undefined)
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
      return jsonAnswer({ ARN: arnOf(name), Name: name, SecretString: value })
    },
  }
}
