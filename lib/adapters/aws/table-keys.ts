// Where every row lies in the DynamoDB tables, and the key prefixes that IAM fences (dynamodb:LeadingKeys) are written in.
// The one place that spells them: adapters, infra/policies and tests import it. Pure strings, no I/O.
// INVARIANT: a tenant id has none of `#`, `*`, `/`, so no row of one tenant begins with another's prefix.
import { hash } from 'node:crypto'
import { TENANT_NAME } from '../../domain/names.ts'

export const CORE_TABLE = 'mintmark-core'
export const LOG_TABLE = 'mintmark-log'

/** Partition and sort key of one row. */
export type RowKey = { readonly pk: string; readonly sk: string }

/** A tenant's revocations lie in this many partitions, so that a storm of them does not throttle what mint reads. */
export const REVOCATION_SHARDS = 16
/** The list of tenants, which is never scanned for. */
export const TENANT_LIST_SHARDS = 16

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')
const shortHash = (text: string): string => sha256(text).toString('base64url')
const shardOf = (text: string, shards: number): number => sha256(text)[0]! % shards

/** What a tenant's rows begin with; the partition of the tenant is the fence of its data session. */
const ofTenant = (tenant: string, rest: string): string => `T#${tenant}#${rest}`

export const currentConfigKey = (tenant: string): RowKey => ({ pk: ofTenant(tenant, 'CFG'), sk: 'CUR' })
/** Versions sort as numbers do up to 999,999. */
export const configVersionKey = (tenant: string, version: number): RowKey => ({
  pk: ofTenant(tenant, 'CFG'),
  sk: `V#${String(version).padStart(6, '0')}`,
})
export const CONFIG_VERSION_PREFIX = 'V#'

export const tenantListPartition = (shard: number): string => `TENANTS#${shard}`
export const tenantListKey = (tenant: string): RowKey => ({
  pk: tenantListPartition(shardOf(tenant, TENANT_LIST_SHARDS)),
  sk: tenant,
})

/** Replay marker, issuance record and audit entry in one row. */
export const grantKey = (tenant: string, guard: string): RowKey => ({ pk: ofTenant(tenant, `G#${guard}`), sk: 'G' })
/** Beside a record that gave no credential after all. */
export const outcomeKey = (tenant: string, guard: string): RowKey => ({ pk: ofTenant(tenant, `G#${guard}`), sk: 'OUT' })
export const proofKey = (tenant: string, proofHash: string): RowKey => ({
  pk: ofTenant(tenant, `P#${proofHash}`),
  sk: 'P',
})
/** A proof that somebody sent beside a token of ours. */
export const callerProofKey = (tenant: string, proofHash: string): RowKey => ({
  pk: ofTenant(tenant, `CP#${proofHash}`),
  sk: 'P',
})

const HOUR_MS = 3_600_000
/** Decisions of one hour lie together: a decision id begins with its time (RFC 9562 §5.7), in milliseconds. */
const hourOf = (decisionId: string): number =>
  Math.floor(Number.parseInt(decisionId.replace('-', '').slice(0, 12), 16) / HOUR_MS)
export const decisionPartition = (tenant: string, hour: number): string => ofTenant(tenant, `D#${hour}`)
/** Where the record of a decision lies: what makes an id enough to read it strongly. */
export const decisionKey = (tenant: string, decisionId: string): RowKey => ({
  pk: decisionPartition(tenant, hourOf(decisionId)),
  sk: decisionId,
})
/** Hours from the newest to the oldest whose decisions may be of that time, seconds. */
export const hoursSince = (sinceSeconds: number, nowSeconds: number): readonly number[] => {
  const [oldest, newest] = [sinceSeconds, nowSeconds].map((seconds) => Math.floor((seconds * 1000) / HOUR_MS)) as [
    number,
    number,
  ]
  return Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, back) => newest - back)
}

const FAMILY = new RegExp(`^T#(${TENANT_NAME})#(G|RO|RV|RCV|CFG|K|FS|LU)(?:#|$)`)

/** Which of a tenant's audited rows lies at a key; null: none. What a reader of the stream asks. */
export const auditedRowAt = ({ pk, sk }: RowKey): { readonly tenant: string; readonly row: AuditedRow } | null => {
  const [, tenant, family] = FAMILY.exec(pk) ?? []
  if (tenant === undefined || family === undefined) return null
  const row = AUDITED_FAMILIES[family] ?? AUDITED_ROWS[`${family} ${sk.replace(/^V#\d+$/, CONFIG_VERSION_PREFIX)}`]
  return row === undefined ? null : { tenant, row }
}
export type AuditedRow =
  | 'record'
  | 'outcome'
  | 'order'
  | 'revocation'
  | 'receiver'
  | 'tenant'
  | 'config'
  | 'own_key'
  | 'feed_secret'
  | 'look_up'
const AUDITED_ROWS: Readonly<Record<string, AuditedRow>> = {
  'G G': 'record',
  'G OUT': 'outcome',
  'RO O': 'order',
  'CFG CUR': 'tenant',
  [`CFG ${CONFIG_VERSION_PREFIX}`]: 'config',
}
/** Of these every row. */
const AUDITED_FAMILIES: Readonly<Record<string, AuditedRow>> = {
  RV: 'revocation',
  RCV: 'receiver',
  K: 'own_key',
  FS: 'feed_secret',
  LU: 'look_up',
}

type Selector = { readonly kind: string; readonly issuer: string; readonly value: string }

export const revocationPartition = (tenant: string, shard: number): string => ofTenant(tenant, `RV#${shard}`)
/** One row a selector: its block and its cut lie in it side by side. The value is hashed: it may be long, and a name. */
export const revocationKey = (tenant: string, { kind, issuer, value }: Selector): RowKey => {
  const sk = `${kind}#${issuer}#${shortHash(value)}`
  return { pk: revocationPartition(tenant, shardOf(sk, REVOCATION_SHARDS)), sk }
}
/** Raised after every change of a tenant's revocations. */
export const revocationVersionKey = (tenant: string): RowKey => ({ pk: ofTenant(tenant, 'RVV'), sk: 'E' })

/** The changes of a tenant's revocations by number: what its feed is read from. */
export const revocationChangesPartition = (tenant: string): string => ofTenant(tenant, 'RC')
const CHANGE = 'S#'
const CHANGE_DIGITS = 12
/** Sorts as its number does. */
export const revocationChangeKey = (tenant: string, seq: number): RowKey => ({
  pk: revocationChangesPartition(tenant),
  sk: `${CHANGE}${String(seq).padStart(CHANGE_DIGITS, '0')}`,
})
export const seqOfChange = (sk: string): number => Number(sk.slice(CHANGE.length))

/** How far a receiver of revocations is. */
export const receiverKey = (tenant: string, name: string): RowKey => ({ pk: ofTenant(tenant, 'RCV'), sk: name })

/** A security event that was received. */
export const securityEventKey = (tenant: string, id: string): RowKey => ({ pk: ofTenant(tenant, `SE#${id}`), sk: 'E' })
/** Look-ups of one hour lie together (hours since 1970). */
export const lookUpPartition = (tenant: string, hour: number): string => ofTenant(tenant, `LU#${hour}`)
/** That an operator looked a decision up. `id`: random, of this one look. */
export const lookUpKey = (tenant: string, atSeconds: number, id: string): RowKey => ({
  pk: lookUpPartition(tenant, Math.floor((atSeconds * 1000) / HOUR_MS)),
  sk: id,
})

/** An order that was carried out. */
export const appliedOrderKey = (tenant: string, orderId: string): RowKey => ({
  pk: ofTenant(tenant, `RO#${orderId}`),
  sk: 'O',
})

export const signingKeyPartition = (tenant: string): string => ofTenant(tenant, 'K')
export const signingKeyKey = (tenant: string, kid: string): RowKey => ({
  pk: signingKeyPartition(tenant),
  sk: `KID#${kid}`,
})
export const feedSecretKey = (tenant: string): RowKey => ({ pk: ofTenant(tenant, 'FS'), sk: 'S' })

/** `sourceId`: keySourceId() of a fetched source; no tenant is in it. */
export const issuerKeySetKey = (sourceId: string): RowKey => ({ pk: `JWKS#${shortHash(sourceId)}`, sk: 'CUR' })
/** Bucket names hold addresses of callers: only their hash is stored. */
export const rateKey = (bucket: string): RowKey => ({ pk: `RL#${shortHash(bucket)}`, sk: 'C' })
/** The highest time any mint has seen: one row, since it is about clocks and not about a tenant. */
export const clockMarkKey: RowKey = { pk: 'CLOCK', sk: 'M' }

/**
 * Rows of mintmark-log. Events and salts, the end of the log, the tree over commitments, and what is signed lie under different
 * prefixes, so that IAM tells apart who may append, who may sign, and who may only publish.
 */
export const logPartition = (tenant: string): string => `L#${tenant}`
const logHeadPartition = (tenant: string): string => `LH#${tenant}`
export const publicLogPartition = (tenant: string): string => `LT#${tenant}`
export const logCheckpointPartition = (tenant: string): string => `LC#${tenant}`
const LEAF_DIGITS = 12
/** Sorts as its number does. */
const numbered = (prefix: string, index: number): string => `${prefix}${String(index).padStart(LEAF_DIGITS, '0')}`
/** The end of the log: every append moves it, by compare-and-set. */
export const logHeadKey = (tenant: string): RowKey => ({ pk: logHeadPartition(tenant), sk: 'HEAD' })
/** Events and salts of neighbouring leaves, by the index of the first. Nothing else in the partition sorts behind them. */
export const logEventsKey = (tenant: string, first: number): RowKey => ({
  pk: logPartition(tenant),
  sk: numbered(LOG_EVENTS, first),
})
export const LOG_EVENTS = 'S#'
/** The last checkpoint of a minute. */
export const logMinuteKey = (tenant: string, minute: number): RowKey => ({
  pk: logCheckpointPartition(tenant),
  sk: numbered(LOG_MINUTES, minute),
})
export const LOG_MINUTES = 'M#'
/** What an anchor kept last. */
export const logAnchorKey = (tenant: string, anchor: string): RowKey => ({
  pk: logCheckpointPartition(tenant),
  sk: `${LOG_ANCHORS}${anchor}`,
})
export const LOG_ANCHORS = 'A#'
/** That an event is in the log, and where. Ids may be long, and have anything in them. */
export const logUidKey = (tenant: string, uid: string): RowKey => ({
  pk: `${logPartition(tenant)}#U#${shortHash(uid)}`,
  sk: 'U',
})
/** A denial as it was made, by its decision id; or the count it went into. */
export const logDenialKey = (tenant: string, decisionId: string): RowKey => ({
  pk: `${logPartition(tenant)}#D#${decisionId}`,
  sk: 'D',
})

/** The denials that a count lists, by the id of the count. */
export const logListedKey = (tenant: string, countId: string): RowKey => ({
  pk: logDenialKey(tenant, countId).pk,
  sk: 'L',
})
/** How many leaves from the front have no events any more, and the checkpoint that shows that they were due. */
export const logExpiredKey = (tenant: string): RowKey => ({ pk: `LX#${tenant}`, sk: 'X' })

/** Commitments of neighbouring leaves of one tile, by the index of the first. */
export const logCommitmentsKey = (tenant: string, first: number): RowKey => ({
  pk: publicLogPartition(tenant),
  sk: numbered(LOG_COMMITMENTS, first),
})
export const LOG_COMMITMENTS = 'C#'
/** A tile of the tree above its leaves. */
export const logTileKey = (tenant: string, level: number, index: number): RowKey => ({
  pk: publicLogPartition(tenant),
  sk: numbered(`T#${level}#`, index),
})
export const logCheckpointKey = (tenant: string): RowKey => ({ pk: logCheckpointPartition(tenant), sk: 'CP' })

/** The list of logs, and which of them have grown. */
export const LOG_LIST_SHARDS = 16
export const logListPartition = (shard: number): string => `LOGS#${shard}`
export const logListKey = (tenant: string): RowKey => ({
  pk: logListPartition(shardOf(tenant, LOG_LIST_SHARDS)),
  sk: tenant,
})

/** Rows of mintmark-log about a tenant's sinks: how far each is, what none could take, what operators ask. */
export const sinkPartition = (tenant: string): string => `K#${tenant}#C`
/** Names of sinks hold no `#`. */
export const sinkKey = (tenant: string, sink: string): RowKey => ({ pk: sinkPartition(tenant), sk: sink })
export const deadLetterPartition = (tenant: string, sink: string): string => `K#${tenant}#D#${sink}`
/** Sorts as its number does. */
export const deadLetterKey = (tenant: string, sink: string, seq: number): RowKey => ({
  pk: deadLetterPartition(tenant, sink),
  sk: `S#${String(seq).padStart(14, '0')}`,
})
export const seqOfDeadLetter = (sk: string): number => Number(sk.slice('S#'.length))
export const sinkErrandPartition = (tenant: string): string => `K#${tenant}#E`
export const sinkErrandKey = (tenant: string, id: string): RowKey => ({ pk: sinkErrandPartition(tenant), sk: id })

/**
 * Values of dynamodb:LeadingKeys, by what lies there. `tenant` is a tenant id, `*`, or the policy variable
 * `${aws:PrincipalTag/mintmark-tenant}`; a trailing `*` is for StringLike.
 */
export const leadingKeys = (tenant: string) =>
  ({
    config: ofTenant(tenant, 'CFG'),
    grants: ofTenant(tenant, 'G#*'),
    decisions: ofTenant(tenant, 'D#*'),
    proofs: ofTenant(tenant, 'P#*'),
    callerProofs: ofTenant(tenant, 'CP#*'),
    revocations: ofTenant(tenant, 'RV#*'),
    revocationVersion: ofTenant(tenant, 'RVV'),
    revocationChanges: revocationChangesPartition(tenant),
    receivers: receiverKey(tenant, '').pk,
    appliedOrders: ofTenant(tenant, 'RO#*'),
    securityEvents: ofTenant(tenant, 'SE#*'),
    lookUps: ofTenant(tenant, 'LU#*'),
    signingKeys: signingKeyPartition(tenant),
    feedSecret: ofTenant(tenant, 'FS'),
    tenantList: 'TENANTS#*',
    issuerKeySets: 'JWKS#*',
    rates: 'RL#*',
    clockMark: clockMarkKey.pk,
    log: logPartition(tenant),
    logHead: logHeadPartition(tenant),
    logUids: `${logPartition(tenant)}#U#*`,
    logDenials: `${logPartition(tenant)}#D#*`,
    publicLog: publicLogPartition(tenant),
    logCheckpoints: logCheckpointPartition(tenant),
    logExpired: logExpiredKey(tenant).pk,
    logList: 'LOGS#*',
    sinks: sinkPartition(tenant),
    deadLetters: deadLetterPartition(tenant, '*'),
    sinkErrands: sinkErrandPartition(tenant),
  }) as const
