// Row isolation on a real DynamoDB engine: a session tagged with one tenant reaches that tenant's rows and no others, through every
// operation that can name a row, and through none that names none.
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cloud } from '../support/aws/cloud.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { DATA_ROLE, POOL_KEY, sampleCloud } from '../support/aws/sample-cloud.ts'
import { localDynamo } from '../support/dynamodb-local.ts'
import { until } from '../support/until.ts'

/** One engine serves the whole run: a table of our own. */
const TABLE = `emulator-${process.pid}`
const cloud = JSON.parse(JSON.stringify(sampleCloud).replaceAll('mintmark-core', TABLE)) as Cloud
const TABLE_ARN = `arn:aws:dynamodb:eu-west-1:111122223333:table/${TABLE}`

let aws: Aws
let acme: DynamoDBClient
let root: DynamoDBClient

const row = (tenant: string, id = '1') => ({ pk: { S: `T#${tenant}#G#${id}` }, sk: { S: 'G' } })
const allowed = () => aws.recorder.entries().filter(({ decision }) => decision.outcome === 'Allowed')

beforeAll(async () => {
  aws = await startAws({ cloud, dynamodb: localDynamo().endpoint })
  root = new DynamoDBClient(aws.client(aws.rootCredentials))
  acme = new DynamoDBClient(aws.client(aws.credentialsForRole(DATA_ROLE, { tags: { 'mintmark-tenant': 'acme' } })))
  await root.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'owner'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-owner',
          KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  )
  for (const tenant of ['acme', 'globex']) {
    const Item = { ...row(tenant), secret: { S: `of ${tenant}` }, owner: { S: tenant } }
    await root.send(new PutItemCommand({ TableName: TABLE, Item }))
  }
})
afterAll(() => aws.stop())

describe('a session of tenant acme', () => {
  test('does its work on its own rows through every operation it has', async () => {
    const own = { TableName: TABLE, Key: row('acme') }
    expect((await acme.send(new GetItemCommand({ ...own, ConsistentRead: true }))).Item?.['secret']?.S).toBe('of acme')
    const batch = await acme.send(new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys: [row('acme')] } } }))
    expect(batch.Responses?.[TABLE]).toHaveLength(1)
    const query = new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: '#p = :p AND begins_with(sk, :s)',
      ExpressionAttributeNames: { '#p': 'pk' },
      ExpressionAttributeValues: { ':p': row('acme').pk, ':s': { S: 'G' } },
    })
    expect((await acme.send(query)).Count).toBe(1)
    await acme.send(new PutItemCommand({ TableName: TABLE, Item: row('acme', 'put') }))
    const put = { Put: { TableName: TABLE, Item: row('acme', 'transact') } }
    const check = {
      ConditionCheck: { TableName: TABLE, Key: row('acme'), ConditionExpression: 'attribute_exists(pk)' },
    }
    await acme.send(new TransactWriteItemsCommand({ TransactItems: [put, check] }))
    expect((await acme.send(new TransactGetItemsCommand({ TransactItems: [{ Get: own }] }))).Responses).toHaveLength(1)
  })

  const other = { TableName: TABLE, Key: row('globex') }
  const ATTEMPTS = [
    ['GetItem', new GetItemCommand(other)],
    ['PutItem', new PutItemCommand({ TableName: TABLE, Item: row('globex', 'new') })],
    ['UpdateItem', new UpdateItemCommand({ ...other, UpdateExpression: 'REMOVE secret' })],
    ['DeleteItem', new DeleteItemCommand(other)],
    ['BatchGetItem', new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys: [row('globex')] } } })],
    [
      'BatchGetItem of both tenants',
      new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys: [row('acme'), row('globex')] } } }),
    ],
    [
      'BatchGetItem by the ARN of the table',
      new BatchGetItemCommand({ RequestItems: { [TABLE_ARN]: { Keys: [row('globex')] } } }),
    ],
    [
      'BatchWriteItem',
      new BatchWriteItemCommand({ RequestItems: { [TABLE]: [{ PutRequest: { Item: row('globex', 'new') } }] } }),
    ],
    [
      'Query',
      new QueryCommand({
        TableName: TABLE,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': row('globex').pk },
      }),
    ],
    [
      'Query with its own tenant in a value that is not the key',
      new QueryCommand({
        TableName: TABLE,
        KeyConditionExpression: '#k = :p AND sk = :s',
        FilterExpression: 'owner = :o',
        ExpressionAttributeNames: { '#k': 'pk' },
        ExpressionAttributeValues: { ':p': row('globex').pk, ':s': { S: 'G' }, ':o': { S: 'T#acme#x' } },
      }),
    ],
    [
      'Query by KeyConditions, the older way',
      new QueryCommand({
        TableName: TABLE,
        KeyConditions: { pk: { ComparisonOperator: 'EQ', AttributeValueList: [row('globex').pk] } },
      }),
    ],
    [
      'Query of an index',
      new QueryCommand({
        TableName: TABLE,
        IndexName: 'by-owner',
        KeyConditionExpression: '#o = :o',
        ExpressionAttributeNames: { '#o': 'owner' },
        ExpressionAttributeValues: { ':o': { S: 'globex' } },
      }),
    ],
    ['Scan', new ScanCommand({ TableName: TABLE })],
    [
      'Scan filtered to its own rows',
      new ScanCommand({
        TableName: TABLE,
        FilterExpression: 'begins_with(pk, :p)',
        ExpressionAttributeValues: { ':p': { S: 'T#acme#' } },
      }),
    ],
    [
      'TransactGetItems',
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: TABLE, Key: row('acme') } }, { Get: other }] }),
    ],
    [
      'TransactWriteItems with one row of the other tenant',
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: TABLE, Item: row('acme', 'mixed') } },
          { Put: { TableName: TABLE, Item: row('globex', 'mixed') } },
        ],
      }),
    ],
    [
      'TransactWriteItems whose condition reads the other tenant',
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: TABLE, Item: row('acme', 'probe') } },
          { ConditionCheck: { ...other, ConditionExpression: 'attribute_exists(pk)' } },
        ],
      }),
    ],
    ['PartiQL', new ExecuteStatementCommand({ Statement: `SELECT * FROM "${TABLE}" WHERE pk = 'T#acme#G#1'` })],
    [
      'PartiQL in a batch',
      new BatchExecuteStatementCommand({
        Statements: [{ Statement: `SELECT * FROM "${TABLE}" WHERE pk = 'T#acme#G#1'` }],
      }),
    ],
    ['DescribeTable', new DescribeTableCommand({ TableName: TABLE })],
  ] as const

  test.each(ATTEMPTS)('is refused %s of what is not its own', async (_, command) => {
    await expect(acme.send(command as GetItemCommand)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('left nothing behind with what was refused', async () => {
    const { Items } = await root.send(new ScanCommand({ TableName: TABLE }))
    const keys = Items!.map(({ pk }) => pk!.S).sort()
    expect(keys).toEqual(['T#acme#G#1', 'T#acme#G#put', 'T#acme#G#transact', 'T#globex#G#1'])
  })

  test('without a tag reaches no row', async () => {
    const untagged = new DynamoDBClient(aws.client(aws.credentialsForRole(DATA_ROLE)))
    await expect(untagged.send(new GetItemCommand({ TableName: TABLE, Key: row('acme') }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })
})

test("the engine's own refusals come through: a second put of a guard fails its condition", async () => {
  const put = new PutItemCommand({
    TableName: TABLE,
    Item: row('acme'),
    ConditionExpression: 'attribute_not_exists(pk)',
  })
  await expect(acme.send(put)).rejects.toBeInstanceOf(ConditionalCheckFailedException)
})

test('switched off, everything is served and every refusal recorded', async () => {
  aws.recorder.clear()
  aws.enforce(false)
  const { Item } = await acme.send(new GetItemCommand({ TableName: TABLE, Key: row('globex') }))
  aws.enforce(true)
  expect(Item?.['secret']?.S).toBe('of globex')
  expect(aws.recorder.entries()).toMatchObject([
    {
      action: 'dynamodb:GetItem',
      resource: TABLE_ARN,
      sessionTags: { 'mintmark-tenant': 'acme' },
      context: { 'dynamodb:LeadingKeys': ['T#globex#G#1'], 'aws:PrincipalTag/mintmark-tenant': 'acme' },
      decision: { outcome: 'ImplicitlyDenied' },
    },
  ])
  expect(allowed()).toEqual([])
})

test("a table under a customer's key asks the caller for that key as well", async () => {
  aws.replaceCloud({ ...cloud, resources: { ...cloud.resources, [TABLE_ARN]: { encryptedWith: POOL_KEY } } })
  const read = new GetItemCommand({ TableName: TABLE, Key: row('acme') })
  await expect(acme.send(read)).rejects.toMatchObject({ message: expect.stringContaining('kms:Decrypt') })
  const throughDynamo = {
    Effect: 'Allow',
    Principal: { AWS: DATA_ROLE },
    Action: 'kms:Decrypt',
    Resource: '*',
    Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-west-1.amazonaws.com' } },
  } as const
  const policy = { Version: '2012-10-17', Statement: [throughDynamo] }
  aws.replaceCloud({
    ...cloud,
    resources: { [POOL_KEY]: { ...cloud.resources[POOL_KEY]!, policy }, [TABLE_ARN]: { encryptedWith: POOL_KEY } },
  })
  await expect(acme.send(read)).resolves.toBeDefined()
  aws.replaceCloud(cloud)
})

describe('faults', () => {
  const put = (id: string) => new PutItemCommand({ TableName: TABLE, Item: row('acme', id) })
  const isThere = async (id: string) =>
    (await root.send(new GetItemCommand({ TableName: TABLE, Key: row('acme', id), ConsistentRead: true }))).Item !==
    undefined
  const once = () =>
    new DynamoDBClient({
      ...aws.client(aws.credentialsForRole(DATA_ROLE, { tags: { 'mintmark-tenant': 'acme' } })),
      maxAttempts: 1,
    })

  test('a dropped answer leaves the write in place: the outcome is unknown to the caller', async () => {
    aws.faults.inject([{ action: 'dynamodb:PutItem', kind: 'drop', percent: 100, times: 1 }])
    await expect(once().send(put('drop'))).rejects.toThrow()
    expect(aws.faults.struck).toEqual([1])
    expect(await isThere('drop')).toBe(true)
  })

  test('a hang does nothing; a delay does it after the caller is gone', async () => {
    aws.faults.inject([{ action: 'dynamodb:PutItem', kind: 'hang', ms: 50, percent: 100, times: 1 }])
    await expect(once().send(put('hang'))).rejects.toThrow()
    expect(await isThere('hang')).toBe(false)

    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    aws.faults.inject([{ action: 'dynamodb:PutItem', kind: 'delay', over, percent: 100, times: 1 }])
    const leaving = new AbortController()
    const left = expect(once().send(put('delay'), { abortSignal: leaving.signal })).rejects.toThrow()
    await until('a put that is delayed', () => aws.faults.struck[0])
    leaving.abort()
    await left
    expect(await isThere('delay')).toBe(false)
    end()
    await expect.poll(() => isThere('delay')).toBe(true)
  })

  test('throttling and failures are those the SDK retries, and end it when they do not end', async () => {
    aws.faults.inject([{ action: 'dynamodb:*', kind: 'throttle', percent: 100, times: 2 }])
    await expect(acme.send(put('throttled'))).resolves.toBeDefined()
    aws.faults.inject([{ action: 'dynamodb:PutItem', kind: 'throttle', percent: 100 }])
    await expect(once().send(put('x'))).rejects.toMatchObject({ name: 'ThrottlingException' })
    aws.faults.inject([{ action: 'dynamodb:PutItem', kind: 'error', percent: 100 }])
    await expect(once().send(put('x'))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
    aws.faults.inject([])
    expect(await isThere('x')).toBe(false)
  })
})
