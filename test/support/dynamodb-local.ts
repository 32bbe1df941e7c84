// DynamoDB Local for test/aws: one JVM a run (vitest's global setup), a pair of tables a test file. Without Java the run fails:
// that is no reason to pass.
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import { createDeployedTables, LOCAL, startDynamodb } from './dynamodb-process.ts'

declare module 'vitest' {
  interface ProvidedContext {
    dynamodbEndpoint: string
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { endpoint, stop } = await startDynamodb()
  project.provide('dynamodbEndpoint', endpoint)
  return stop
}

/** How a test reaches it: spread into the options of a client. */
export const localDynamo = () => ({ ...LOCAL, endpoint: inject('dynamodbEndpoint') })

let made = 0

/** New, empty tables for one test. */
export const createTables = (): Promise<{ readonly core: string; readonly log: string }> => {
  made += 1
  return createTablesNamed(`t${process.pid}-${made}-`)
}

/** `prefix` empty: by the names they are deployed under, which one file of a run may use. */
export const createTablesNamed = (prefix: string): Promise<{ readonly core: string; readonly log: string }> =>
  createDeployedTables(inject('dynamodbEndpoint'), prefix)

type StreamRecord = { readonly eventName: string; readonly dynamodb: { readonly NewImage?: Record<string, unknown> } }

/** The whole stream of a table so far, as Lambda would hand it out. No SDK client for streams is installed, so by hand. */
export const readStream = async (table: string): Promise<readonly StreamRecord[]> => {
  const { Streams } = await call('ListStreams', { TableName: table })
  const StreamArn = Streams[0].StreamArn
  const { StreamDescription } = await call('DescribeStream', { StreamArn })
  const records: StreamRecord[] = []
  for (const { ShardId } of StreamDescription.Shards) {
    const asked = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator } = await call('GetShardIterator', asked)
    while (ShardIterator !== undefined) {
      const page = await call('GetRecords', { ShardIterator })
      records.push(...page.Records)
      // An open shard has a next iterator for ever: an empty page is its end for now.
      ShardIterator = page.Records.length === 0 ? undefined : page.NextShardIterator
    }
  }
  return records
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is the test's business
const call = async (operation: string, body: object): Promise<any> => {
  const response = await fetch(inject('dynamodbEndpoint'), {
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
  return response.json()
}
