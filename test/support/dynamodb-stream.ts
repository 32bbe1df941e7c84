// The stream of a table of DynamoDB Local, as Lambda would hand it out. No SDK client for streams is installed, so by hand.
import type { StreamRecord } from '../../lib/wire/lambda-events.ts'

export interface Stream {
  /** What came since the last call; of the first, everything so far. Ordered within a row, not within the table. */
  next(): Promise<readonly StreamRecord[]>
}

type Shard = { readonly ShardId: string }
type Answer = {
  readonly Streams: readonly { readonly StreamArn: string }[]
  readonly StreamDescription: { readonly Shards: readonly Shard[] }
  readonly ShardIterator: string
  readonly NextShardIterator?: string
  readonly Records: readonly StreamRecord[]
}

export const openStream = (endpoint: string, table: string): Stream => {
  /** Shard -> where to go on; null: it is closed and read to its end. */
  const iterators = new Map<string, string | null>()
  return {
    async next() {
      const { Streams } = await call(endpoint, 'ListStreams', { TableName: table })
      const StreamArn = Streams[0]!.StreamArn
      const { StreamDescription } = await call(endpoint, 'DescribeStream', { StreamArn })
      const records: StreamRecord[] = []
      for (const { ShardId } of StreamDescription.Shards) {
        let at = iterators.get(ShardId)
        if (at === undefined) {
          const asked = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
          at = (await call(endpoint, 'GetShardIterator', asked)).ShardIterator
        }
        while (at !== null) {
          const page: Answer = await call(endpoint, 'GetRecords', { ShardIterator: at })
          records.push(...page.Records)
          at = page.NextShardIterator ?? null
          // An open shard has a next iterator for ever: an empty page is its end for now.
          if (page.Records.length === 0) break
        }
        iterators.set(ShardId, at)
      }
      return records
    },
  }
}

const call = async (endpoint: string, operation: string, body: object): Promise<Answer> => {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${operation}: ${response.status}`)
  return (await response.json()) as Answer
}
