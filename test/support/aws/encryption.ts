// Services that keep data under a customer's KMS key use it in the caller's name: whoever sends to such a queue, or reads such a
// table, needs the key too. Without that a policy looks complete until the first call in a real account.
import type { Cloud } from './cloud.ts'
import { findResource } from './cloud.ts'
import type { Ask } from './service.ts'

type Use = {
  readonly service: 'sqs' | 'dynamodb'
  readonly actions: readonly string[]
  readonly encryptionContext: Readonly<Record<string, string>>
}

/** Nothing where the resource is not under such a key. */
export const encryptionAsks = (cloud: Cloud, resource: string, use: Use): Ask[] => {
  const key = findResource(cloud, resource)?.encryptedWith
  if (key === undefined) return []
  const context: Record<string, string | string[]> = {
    'kms:ViaService': `${use.service}.${cloud.region}.amazonaws.com`,
    'kms:CallerAccount': cloud.account,
    'kms:EncryptionContextKeys': Object.keys(use.encryptionContext),
    'aws:ViaAWSService': 'true',
  }
  for (const [name, value] of Object.entries(use.encryptionContext)) context[`kms:EncryptionContext:${name}`] = value
  return use.actions.map((action) => ({ action, resource: key, context }))
}
