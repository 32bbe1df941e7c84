// The DynamoDB tables. Keys are two strings and nothing else: no index, because none is ever strongly consistent, and no
// decision may rest on one. `ttl` frees storage days later; expiry is compared with the clock by whoever reads (docs/storage.md).
import { CORE_TABLE, LOG_TABLE } from '../lib/adapters/aws/table-keys.ts'

type KeyType = 'HASH' | 'RANGE'

/** AWS::DynamoDB::Table, as far as it is used here. */
export type TableResource = {
  readonly Type: 'AWS::DynamoDB::Table'
  readonly DeletionPolicy: 'Retain'
  readonly UpdateReplacePolicy: 'Retain'
  readonly Properties: {
    readonly TableName: string
    readonly BillingMode: 'PAY_PER_REQUEST'
    readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: 'S' }[]
    readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: KeyType }[]
    readonly StreamSpecification?: { readonly StreamViewType: 'NEW_AND_OLD_IMAGES' }
    readonly TimeToLiveSpecification?: { readonly AttributeName: 'ttl'; readonly Enabled: true }
    readonly PointInTimeRecoverySpecification: {
      readonly PointInTimeRecoveryEnabled: true
      readonly RecoveryPeriodInDays: number
    }
    readonly SSESpecification: {
      readonly SSEEnabled: true
      readonly SSEType: 'KMS'
      /** ARN of the data key, or the intrinsic that gives it. */
      readonly KMSMasterKeyId: unknown
    }
    readonly DeletionProtectionEnabled: true
  }
}

/** Erasing a tenant is complete when the last backup that holds its wrapped keys is gone: this many days later. */
export const BACKUP_DAYS = 35

const table = (
  name: string,
  dataKey: unknown,
  extra: Pick<TableResource['Properties'], 'StreamSpecification' | 'TimeToLiveSpecification'>,
): TableResource => ({
  Type: 'AWS::DynamoDB::Table',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    ...extra,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: BACKUP_DAYS },
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: dataKey },
    DeletionProtectionEnabled: true,
  },
})

/** Decisions rest on it. Its stream is the audit feed; the old image of a changed grant is how tampering is seen. */
export const coreTable = (dataKey: unknown): TableResource =>
  table(CORE_TABLE, dataKey, {
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  })

/** The audit log: appended to, never expiring by itself. */
export const logTable = (dataKey: unknown): TableResource => table(LOG_TABLE, dataKey, {})
