// DynamoDB Local for test/aws: one JVM a run (vitest's global setup), a pair of tables a test file, made from the very
// definition that is deployed. It knows no IAM. Without Java the run fails: that is no reason to pass.
import { spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import { coreTable, logTable, type TableResource } from '../../infra/tables.ts'

declare module 'vitest' {
  interface ProvidedContext {
    dynamodbEndpoint: string
  }
}

const EMULATOR = fileURLToPath(new URL('../../node_modules/amplify-dynamodb-simulator/emulator', import.meta.url))
/** It takes three seconds; a machine on which many others start at once may take very long. */
const READY_MS_MAX = 120_000

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const port = await freePort()
  const args = [
    '-Djava.library.path=./DynamoDBLocal_lib',
    '-Xmx512m',
    '-jar',
    'DynamoDBLocal.jar',
    '-inMemory',
    '-sharedDb',
  ]
  const child = spawn('java', [...args, '-port', String(port), '-disableTelemetry'], { cwd: EMULATOR, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(new Error('test:aws needs Java 17 or later on the path')))
    child.once('exit', (code) => reject(new Error(`DynamoDB Local ended with ${code}`)))
  })
  failed.catch(() => undefined)
  const endpoint = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  try {
    await Promise.race([untilReady(endpoint), failed])
  } catch (error) {
    await stop()
    throw error
  }
  project.provide('dynamodbEndpoint', endpoint)
  return stop
}

const untilReady = async (endpoint: string): Promise<void> => {
  const client = new DynamoDBClient({ ...LOCAL, endpoint, maxAttempts: 1 })
  for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(100)) {
    try {
      await client.send(new ListTablesCommand({}))
      return client.destroy()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

/** Any credentials do. */
const LOCAL = { region: 'eu-west-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } } as const

/** How a test reaches it: spread into the options of a client. */
export const localDynamo = () => ({ ...LOCAL, endpoint: inject('dynamodbEndpoint') })

const createTable = async (client: DynamoDBClient, name: string, { Properties }: TableResource): Promise<void> => {
  const { BillingMode, AttributeDefinitions, KeySchema, StreamSpecification } = Properties
  const input = {
    TableName: name,
    BillingMode,
    AttributeDefinitions,
    KeySchema,
    ...(StreamSpecification && { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } }),
  }
  await client.send(new CreateTableCommand(structuredClone(input) as CreateTableCommandInput))
}

let made = 0

/** New, empty tables for one test. */
export const createTables = (): Promise<{ readonly core: string; readonly log: string }> => {
  made += 1
  return createTablesNamed(`t${process.pid}-${made}-`)
}

/** `prefix` empty: by the names they are deployed under, which one file of a run may use. */
export const createTablesNamed = async (prefix: string): Promise<{ readonly core: string; readonly log: string }> => {
  const client = new DynamoDBClient(localDynamo())
  const [core, log] = [coreTable(null), logTable(null)]
  const names = { core: `${prefix}${core.Properties.TableName}`, log: `${prefix}${log.Properties.TableName}` }
  await createTable(client, names.core, core)
  await createTable(client, names.log, log)
  client.destroy()
  return names
}

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
