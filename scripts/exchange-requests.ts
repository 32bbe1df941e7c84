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

/** What audit asks of DynamoDB behind the answer, for each batch of the stream and each tenant in it. */
export const AUDIT = {
  requests: { GetItem: 1, TransactWriteItems: 1 },
  readUnits: 1,
  /** The head of the tenant's log. A write in a transaction is two units a KB. */
  writeUnitsOfHead: 2,
  /** Of every record: its entry, as JSON, and the row it is found by. */
  writeUnitsOfRows: [4, 2],
} as const
