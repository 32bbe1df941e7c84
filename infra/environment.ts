// The environment of each function: names and ARNs of what it uses, nothing it does not, and no secret. Its entry
// (functions/<name>/lambda.ts) reads these names and no others. One function of more than 70 lines: it is the table.
import { CORE_TABLE, LOG_TABLE } from '../lib/adapters/aws/table-keys.ts'
import type { EnvironmentName } from '../lib/config/environment.ts'
import { POOL_KEY } from './keys.ts'
import {
  ARCHIVE_BUCKET,
  dataRoleArn,
  type FunctionName,
  functionName,
  type Place,
  type QueueName,
  type REQUESTS,
  requestName,
  type TenantBound,
} from './names.ts'
import { ISOLATED_RANGE } from './network.ts'
import { type Text, text } from './policies/statement.ts'

type Value = Text | { readonly Ref: string } | { readonly 'Fn::Join': readonly [string, readonly Text[]] }
export type Environment = { readonly [name in EnvironmentName]?: Value }

const CORE = { MINTMARK_CORE_TABLE: CORE_TABLE }
const CORE_AND_LOG = { ...CORE, MINTMARK_LOG_TABLE: LOG_TABLE }
const dataRole = (fn: TenantBound) => ({ MINTMARK_DATA_ROLE: text(dataRoleArn(fn)) })
/** Ref of a queue is its URL. */
const queueUrl = (logicalId: `${Capitalize<QueueName>}${'Queue' | 'Dlq'}` | 'AuditDlq'): Value => ({ Ref: logicalId })
const roleIds = (...roles: readonly string[]): Value => ({
  'Fn::Join': [',', roles.map((role) => ({ 'Fn::GetAtt': [role, 'RoleId'] }))],
})

type Kind<Fn extends keyof typeof REQUESTS> = (typeof REQUESTS)[Fn][number]

export const environments = (place: Place, domain: string): Readonly<Record<FunctionName, Environment>> => {
  const base = { MINTMARK_BASE_URL: `https://${domain}` }
  const trust = { MINTMARK_TRUST_FUNCTION: functionName(place, 'trust') }
  const mintBy = (kind: Kind<'mint'>) => ({ MINTMARK_MINT_FUNCTION: requestName(place, 'mint', kind) })
  const feedBy = (kind: Kind<'feed'>) => ({ MINTMARK_FEED_FUNCTION: requestName(place, 'feed', kind) })
  const checkpointBy = (kind: Kind<'checkpoint'>) => ({
    MINTMARK_CHECKPOINT_FUNCTION: requestName(place, 'checkpoint', kind),
  })
  const orders = { MINTMARK_ORDERS_QUEUE: queueUrl('RevokeQueue') }
  const push = { MINTMARK_PUSH_QUEUE: queueUrl('PushQueue') }
  const denials = { MINTMARK_DENIALS_QUEUE: queueUrl('DenialsQueue') }
  return {
    attest: { ...base, ...CORE, ...mintBy('issue'), ...trust, ...denials },
    mint: {
      ...base,
      ...CORE,
      ...dataRole('mint'),
      MINTMARK_POOL_KEY: POOL_KEY,
      MINTMARK_STS_RANGE: ISOLATED_RANGE,
    },
    trust: { ...base, ...CORE },
    revoke: {
      ...base,
      ...CORE,
      ...dataRole('revoke'),
      MINTMARK_LOG_TABLE: LOG_TABLE,
      ...push,
      MINTMARK_QUARANTINE_QUEUE: queueUrl('RevokeDlq'),
      MINTMARK_ORDER_SENDERS: roleIds('OperatorRole', 'ApplyRole'),
      MINTMARK_EVENTS_SENDER: roleIds('EventsRole'),
    },
    feed: { ...base, ...CORE, ...dataRole('feed'), MINTMARK_POOL_KEY: POOL_KEY },
    events: {
      ...base,
      ...CORE,
      ...dataRole('events'),
      ...trust,
      ...orders,
      MINTMARK_QUARANTINE_QUEUE: queueUrl('FindingsDlq'),
    },
    introspect: { ...base, ...CORE, ...dataRole('introspect'), ...orders, ...denials },
    admin: { ...base, ...CORE_AND_LOG, ...dataRole('admin'), ...orders, ...denials },
    audit: {
      ...base,
      ...CORE,
      ...orders,
      MINTMARK_LOG_TABLE: LOG_TABLE,
      ...dataRole('audit'),
      MINTMARK_QUARANTINE_QUEUE: queueUrl('AuditDlq'),
      MINTMARK_DENIALS_QUARANTINE_QUEUE: queueUrl('DenialsDlq'),
    },
    checkpoint: {
      ...CORE_AND_LOG,
      ...dataRole('checkpoint'),
      MINTMARK_POOL_KEY: POOL_KEY,
      MINTMARK_ARCHIVE_BUCKET: text(ARCHIVE_BUCKET),
    },
    deliver: { ...base, ...CORE_AND_LOG, ...dataRole('deliver'), ...checkpointBy('webhook') },
    erase: { ...base, ...CORE_AND_LOG, ...dataRole('erase') },
    discovery: { ...base, ...CORE_AND_LOG, ...dataRole('discovery'), ...feedBy('page') },
    rotate: {
      ...base,
      ...CORE,
      ...mintBy('activate'),
      ...feedBy('activate'),
      ...checkpointBy('activate'),
      ...dataRole('rotate'),
      MINTMARK_POOL_KEY: POOL_KEY,
    },
    push: {
      ...base,
      ...CORE,
      ...dataRole('push'),
      ...feedBy('sets'),
      ...push,
      MINTMARK_QUARANTINE_QUEUE: queueUrl('PushDlq'),
    },
    poll: { ...base, ...CORE, ...dataRole('poll'), ...feedBy('sets'), ...denials },
  }
}
