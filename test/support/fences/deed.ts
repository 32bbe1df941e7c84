// One thing somebody might try, as the permissions its AWS call asks for, and whether the policies of a cloud let them. The
// permissions come from the emulator's own services, so that a deed that is thought through asks what a real call would.
import { AwsError } from '../aws/answer.ts'
import { requestOf } from '../aws/authorize.ts'
import type { AwsCall, JsonObject, ServiceName } from '../aws/call.ts'
import { arnIn, type Cloud } from '../aws/cloud.ts'
import type { Context } from '../aws/condition.ts'
import type { Decision } from '../aws/decision.ts'
import { decideOnce } from '../aws/decision-cache.ts'
import { dynamodbAsks } from '../aws/dynamodb-asks.ts'
import { iamService } from '../aws/iam.ts'
import { kmsService } from '../aws/kms.ts'
import { Functions, lambdaService } from '../aws/lambda.ts'
import { s3Service } from '../aws/s3.ts'
import { secretsService } from '../aws/secretsmanager.ts'
import type { Ask } from '../aws/service.ts'
import { type Session, Sessions } from '../aws/sessions.ts'
import { sqsService } from '../aws/sqs.ts'
import { stsService } from '../aws/sts.ts'
import { NOW_MS } from './callers.ts'

export type Deed = {
  /** Unique in a list: `put grants of own`. */
  readonly says: string
  /** An AWS call that the emulator knows, or a bare permission. */
  readonly does: { readonly service: ServiceName; readonly operation: string; readonly input: JsonObject } | Ask
  /** Keys of the request that are not as usual. */
  readonly context?: Context
  /** Keys that the caller's session would have and has not. */
  readonly without?: readonly string[]
}

export const call = (service: ServiceName, operation: string, input: JsonObject): Deed['does'] => ({
  service,
  operation,
  input,
})
export const ask = (action: string, resource: string, context: Context = {}): Ask => ({ action, resource, context })

const asksOf = async ({ does }: Deed, cloud: Cloud, session: Session): Promise<readonly Ask[]> => {
  if ('action' in does) return [does]
  const raw = { method: 'POST', url: '/', headers: {}, body: Buffer.alloc(0) }
  const asked: AwsCall = { raw, protocol: 'json', ...does }
  const current = (): Cloud => cloud
  const never = (): never => {
    throw new Error('nothing is carried out')
  }
  switch (does.service) {
    case 'dynamodb':
      return dynamodbAsks(asked, cloud, async () => 'pk')
    case 'kms':
      return kmsService(current, never).asks(asked, null)
    case 'iam':
      return iamService(current, never).asks(asked, null)
    case 'lambda':
      return lambdaService(new Functions(), current).asks(asked, null)
    case 's3':
      return s3Service(new Map()).asks(asked, null)
    case 'secretsmanager':
      return secretsService(new Map(), current).asks(asked, null)
    case 'sqs':
      return sqsService('', current).asks(asked, null)
    case 'sts': {
      const sessions = new Sessions(current)
      const sts = stsService({ cloud: current, sessions, nowMs: () => NOW_MS, publishedKeys: never })
      return sts.asks(asked, { kind: 'session', session })
    }
  }
}

/** One decision a permission; null: AWS refuses the call before any policy is read. */
export const decisionsOf = async (cloud: Cloud, session: Session, deed: Deed): Promise<Decision[] | null> => {
  let asks: readonly Ask[]
  try {
    asks = await asksOf(deed, cloud, session)
  } catch (error) {
    if (error instanceof AwsError) return null
    throw error
  }
  return Promise.all(
    asks.map((each) => {
      const given = { ...each, context: { ...each.context, ...deed.context } }
      const request = requestOf(given, { kind: 'session', session }, { cloud, nowMs: NOW_MS })
      const kept = Object.entries(request.context).filter(([key]) => !deed.without?.includes(key))
      return decideOnce(cloud, { ...request, context: Object.fromEntries(kept) })
    }),
  )
}

export const may = async (cloud: Cloud, session: Session, deed: Deed): Promise<boolean> =>
  (await decisionsOf(cloud, session, deed))?.every(({ outcome }) => outcome === 'Allowed') ?? false

/** What of all that is tried somebody may. */
export const possible = async (cloud: Cloud, session: Session, deeds: readonly Deed[]): Promise<string[]> => {
  const outcomes = await Promise.all(deeds.map((deed) => may(cloud, session, deed)))
  return deeds.filter((_, index) => outcomes[index]).map(({ says }) => says)
}

/** A key that stays in KMS, as rotate makes one for a tenant of the silo tier: it is in no template. */
export const heldKey = (cloud: Cloud, tenant: string, use = 'token'): string =>
  arnIn(cloud, 'kms', `key/held-${use}-${tenant}`)
/** One that was just made, and belongs to nobody yet. */
export const newKey = (cloud: Cloud): string => arnIn(cloud, 'kms', 'key/new')
const HELD_SPEC = { token: 'ECC_NIST_P256', signal: 'ECC_NIST_P256', log: 'ECC_NIST_EDWARDS25519' } as const

export const withHeldKeys = (cloud: Cloud, ...tenants: readonly string[]): Cloud => {
  const root = { AWS: `arn:aws:iam::${cloud.account}:root` }
  // The policy KMS gives a key that was made without one.
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }],
  } as const
  const owners = tenants.flatMap((tenant) => (['token', 'signal', 'log'] as const).map((use) => [tenant, use] as const))
  const keys = owners.map(([tenant, use]) => {
    const tags = { 'mintmark-tenant': tenant, 'mintmark-use': use }
    return [
      heldKey(cloud, tenant, use),
      { policy, tags, key: { spec: HELD_SPEC[use], usage: 'SIGN_VERIFY' } as const },
    ] as const
  })
  const made = { ...Object.fromEntries(keys), [newKey(cloud)]: { policy } }
  return { ...cloud, resources: { ...cloud.resources, ...made } }
}
