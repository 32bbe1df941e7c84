// What one exchange asks of AWS, pooled and warm. test/aws/dynamo-requests.test.ts and test/aws/lambda-e2e.test.ts measure it
// and fail where it is no longer so; docs/cost.md is computed from it.

export const EXCHANGE = {
  /** attest, and mint invoked by it. */
  invocations: 2,
  /** DynamoDB, by command. */
  requests: { BatchGetItem: 2, PutItem: 2 },
  /** Of 1 KB: redemption, record and audit entry are one put; where its decision id finds it, for introspection, is another. */
  writeUnits: 2,
  /** Of 4 KB, strong. */
  readUnits: 5,
  /** KMS and STS: the tenant's session and key are in memory. */
  keyAndSessionCalls: 0,
} as const

/** What audit asks of DynamoDB behind the answer, for each batch of the stream and each tenant in it; warm. */
export const AUDIT = {
  /** The end of the log, which events it has, that it grows, and the append. */
  requests: { GetItem: 1, BatchGetItem: 1, UpdateItem: 1, TransactWriteItems: 1 },
  /** In the transaction, two units a KB: of a record that comes alone, and of each of ten that come together. */
  writeUnits: { 1: 10, 10: 5.4 },
  /** That the log grows: once a batch. */
  writeUnitsOfList: 1,
  readUnitsOfHead: 1,
  /** A grant with scopes is two events. */
  readUnitsOfRecord: 2,
} as const

/** What audit asks for once an hour is over. */
export const COMPARE = {
  /** Of each record of it: the record, whether it has an outcome, and whether its leaf is there. */
  readUnits: 3,
  /**
   * Of each tenant, whatever happened: its current document, decisions and look-ups of the hour, changes of revocations since, and its
   * keys, four of them a read unit. And that it was compared.
   */
  tenantHour: { requests: { GetItem: 1, Query: 4, UpdateItem: 1 }, readUnits: 5, writeUnits: 1 },
} as const

/** What checkpoint asks for in a minute in which a tenant's log has grown, beside what it reads. */
export const CHECKPOINT = {
  /** The checkpoint, that of its minute, what the anchor has kept, and that all is done. */
  writeUnits: 4,
  /** One put into the locked bucket. */
  anchors: 1,
} as const
