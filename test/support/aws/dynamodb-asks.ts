// What a DynamoDB call asks of IAM: the action of each item it touches, the table or index, and `dynamodb:LeadingKeys`, the
// partition keys, taken from the body really sent, and of an update or a query `dynamodb:Attributes`. A key that cannot be read is left out, as
// AWS does, so that a `Null` guard refuses. Service authorization reference of Amazon DynamoDB; "Using IAM policy conditions for fine-grained access control".
import { type AwsCall, type Json, type JsonObject, objectOf, objectsOf, stringOf, stringsOf } from './call.ts'
import { arnIn, type Cloud } from './cloud.ts'
import { encryptionAsks } from './encryption.ts'
import type { Ask } from './service.ts'

/** Partition key attribute of a table, or of one of its indexes. */
export type KeySchema = (table: string, index?: string) => Promise<string>

type Part = {
  readonly action: string
  readonly table: string
  readonly index?: string
  readonly keys?: readonly Json[]
  readonly attributes?: readonly string[]
}

export const dynamodbAsks = async (call: AwsCall, cloud: Cloud, schema: KeySchema): Promise<Ask[]> => {
  const parts = await partsOf(call, schema)
  if (parts.length === 0) return [{ action: `dynamodb:${call.operation}`, resource: '*', context: {} }]
  const isTransaction = call.operation.startsWith('Transact')
  return parts.flatMap(({ action, table, index, keys, attributes = [] }) => {
    const name = table.slice(table.indexOf('/') + 1)
    const leading = (keys ?? []).map(attributeText).filter((key) => key !== null)
    const context: Record<string, string | string[]> = {}
    if (leading.length > 0) context['dynamodb:LeadingKeys'] = leading
    if (attributes.length > 0) context['dynamodb:Attributes'] = [...attributes]
    if (isTransaction) context['dynamodb:EnclosingOperation'] = call.operation
    if (action.startsWith('PartiQL')) context['dynamodb:FullTableScan'] = 'true'
    const select = stringOf(call.input, 'Select')
    if (select !== undefined) context['dynamodb:Select'] = select
    const resource = arnIn(cloud, 'dynamodb', `table/${name}${index === undefined ? '' : `/index/${index}`}`)
    const encryptionContext = { 'aws:dynamodb:tableName': name, 'aws:dynamodb:subscriberId': cloud.account }
    const actions = DATA_ACTIONS.test(action) ? ['kms:Decrypt'] : []
    return [
      { action: `dynamodb:${action}`, resource, context },
      ...encryptionAsks(cloud, resource, { service: 'dynamodb', actions, encryptionContext }),
    ]
  })
}

/** What opens the table's key: everything that reads or writes items. */
const DATA_ACTIONS = /Item$|^Query$|^Scan$|^PartiQL/
const ITEM_OPERATIONS = new Set(['GetItem', 'UpdateItem', 'DeleteItem'])
const STATEMENTS = new Set(['ExecuteStatement', 'BatchExecuteStatement', 'ExecuteTransaction'])

const partsOf = async ({ operation, input }: AwsCall, schema: KeySchema): Promise<Part[]> => {
  const table = stringOf(input, 'TableName') ?? ''
  const keyIn = async (item: JsonObject, of = table): Promise<Json[]> => present(item[await schema(of)])
  if (operation === 'PutItem') return [{ action: operation, table, keys: await keyIn(objectOf(input, 'Item')) }]
  if (ITEM_OPERATIONS.has(operation)) {
    const keys = await keyIn(objectOf(input, 'Key'))
    return [
      { action: operation, table, keys, ...(operation === 'UpdateItem' ? { attributes: attributesIn(input) } : {}) },
    ]
  }
  if (operation === 'Query') return [await queryPart(input, table, schema)]
  if (operation === 'Scan') {
    const index = stringOf(input, 'IndexName')
    return [{ action: operation, table, ...(index === undefined ? {} : { index }) }]
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return batchParts(operation, objectOf(input, 'RequestItems'), keyIn)
  }
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems') {
    return transactParts(objectsOf(input, 'TransactItems'), keyIn)
  }
  if (STATEMENTS.has(operation)) {
    const statements = operation === 'ExecuteStatement' ? [input] : statementsIn(input)
    return statements.map((statement) => partiqlPart(stringOf(statement, 'Statement') ?? ''))
  }
  return table === '' ? [] : [{ action: operation, table }]
}

const statementsIn = (input: JsonObject): readonly JsonObject[] => [
  ...objectsOf(input, 'Statements'),
  ...objectsOf(input, 'TransactStatements'),
]

/** Names of one kind or another that an update's expressions are written in, apart from attributes. */
const WORDS = /^(SET|REMOVE|ADD|DELETE|AND|OR|NOT|BETWEEN|IN)$/i

/** Top-level attributes an update names, its key's among them; `*` where whole rows are handed back. */
const attributesIn = (input: JsonObject): string[] => {
  const names = stringsOf(input, 'ExpressionAttributeNames')
  const written = ['UpdateExpression', 'ConditionExpression'].map((name) => stringOf(input, name) ?? '').join(' , ')
  // A value (`:v`), a function and what is inside of a document (`a.b`) are passed over.
  const named = [...written.matchAll(/(?<![:#\w.-])(#?[A-Za-z_][\w-]*)(?!\w|\s*\()/g)].map(([, name = '']) => name)
  const back = ['ReturnValues', 'ReturnValuesOnConditionCheckFailure'].map((name) => stringOf(input, name) ?? 'NONE')
  return [
    ...new Set([
      ...Object.keys(objectOf(input, 'Key')),
      ...Object.keys(objectOf(input, 'AttributeUpdates')),
      ...named.filter((name) => !WORDS.test(name)).map((name) => names[name] ?? name),
      ...(back.some((values) => values.startsWith('ALL_')) ? ['*'] : []),
    ]),
  ]
}

type KeyIn = (item: JsonObject, table: string) => Promise<Json[]>

/** One request a table, with the keys of all its items: BatchGetItem and BatchWriteItem are permissions of their own. */
const batchParts = async (action: string, tables: JsonObject, keyIn: KeyIn): Promise<Part[]> => {
  const parts: Part[] = []
  for (const table of Object.keys(tables)) {
    const items = Array.isArray(tables[table])
      ? objectsOf(tables, table).map((write) => {
          const put = objectOf(write, 'PutRequest')
          return 'Item' in put ? objectOf(put, 'Item') : objectOf(objectOf(write, 'DeleteRequest'), 'Key')
        })
      : objectsOf(objectOf(tables, table), 'Keys')
    const keys = await Promise.all(items.map((item) => keyIn(item, table)))
    parts.push({ action, table, keys: keys.flat() })
  }
  return parts
}

const TRANSACT_ACTIONS = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
} as const

/** A transaction needs the permission of each of its items; there is none for the transaction itself. */
const transactParts = (items: readonly JsonObject[], keyIn: KeyIn): Promise<Part[]> =>
  Promise.all(
    items.flatMap((item) =>
      Object.entries(TRANSACT_ACTIONS)
        .filter(([name]) => name in item)
        .map(async ([name, action]) => {
          const inner = objectOf(item, name)
          const table = stringOf(inner, 'TableName') ?? ''
          const keys = await keyIn(objectOf(inner, name === 'Put' ? 'Item' : 'Key'), table)
          return { action, table, keys, ...(name === 'Update' ? { attributes: attributesIn(inner) } : {}) }
        }),
    ),
  )

/** The value its key condition compares the partition key with: `pk = :p`, with names and parentheses in any place. */
const queryPart = async (input: JsonObject, table: string, schema: KeySchema): Promise<Part> => {
  const index = stringOf(input, 'IndexName')
  const hash = await schema(table, index)
  const names = stringsOf(input, 'ExpressionAttributeNames')
  const values = objectOf(input, 'ExpressionAttributeValues')
  const expression = stringOf(input, 'KeyConditionExpression') ?? ''
  const keys = [...expression.matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g)].flatMap(([, name = '', value = '']) =>
    (names[name] ?? name) === hash ? present(values[value]) : [],
  )
  const projected = (stringOf(input, 'ProjectionExpression') ?? '').split(',').map((name) => name.trim())
  const attributes = [...expression.matchAll(/(?<![:\w.-])#?[A-Za-z_][\w-]*(?!\w|\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !WORDS.test(name))
    .concat(projected.filter((name) => name !== ''))
    .map((name) => names[name] ?? name)
  const legacy = objectsOf(objectOf(objectOf(input, 'KeyConditions'), hash), 'AttributeValueList')
  return { action: 'Query', table, keys: [...keys, ...legacy], attributes, ...(index === undefined ? {} : { index }) }
}

const PARTIQL = {
  SELECT: ['PartiQLSelect', /\bFROM\s+"?([\w.-]+)"?(?:\."?([\w.-]+)"?)?/i],
  INSERT: ['PartiQLInsert', /\bINTO\s+"?([\w.-]+)"?/i],
  UPDATE: ['PartiQLUpdate', /\bUPDATE\s+"?([\w.-]+)"?/i],
  DELETE: ['PartiQLDelete', /\bFROM\s+"?([\w.-]+)"?/i],
} as const

/** No key is read out of a statement: it counts as a full scan, so only a policy without any fence lets it through. */
const partiqlPart = (statement: string): Part => {
  const verb = statement.trim().split(/\s/)[0]?.toUpperCase() ?? ''
  const [action, pattern] = PARTIQL[verb as keyof typeof PARTIQL] ?? PARTIQL.SELECT
  const [, table = '', index] = pattern.exec(statement) ?? []
  return { action, table, ...(index === undefined ? {} : { index }) }
}

const present = (value: Json | undefined): Json[] => (value === undefined ? [] : [value])

/** `{ S: 'T#acme#G#1' }` -> its text; numbers and bytes as they are written. */
const attributeText = (value: Json): string | null => {
  if (typeof value !== 'object' || value === null) return null
  const [text] = Object.values(value as JsonObject)
  return typeof text === 'string' ? text : null
}
