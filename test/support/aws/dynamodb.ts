// DynamoDB: asks per dynamodb-asks.ts, then DynamoDB Local serves. That engine is asked for the keys of its tables, so that a
// fence is tried against the schema that is really there.
import { AwsError } from './answer.ts'
import type { JsonObject } from './call.ts'
import { objectOf, objectsOf, stringOf } from './call.ts'
import type { Cloud } from './cloud.ts'
import { dynamodbAsks, type KeySchema } from './dynamodb-asks.ts'
import { forward } from './forward.ts'
import type { Service } from './service.ts'

export const dynamodbService = (engine: string, cloud: () => Cloud): Service => {
  const schema = keySchemaOf(engine)
  return {
    asks: (call) => dynamodbAsks(call, cloud(), schema),
    serve: (call) => forward(engine, call),
  }
}

/** Asks the engine once a table. A table that does not exist has no key to fence: the call is refused as AWS would. */
const keySchemaOf = (engine: string): KeySchema => {
  const known = new Map<string, Promise<JsonObject>>()
  const describe = async (table: string): Promise<JsonObject> => {
    const response = await fetch(engine, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.DescribeTable',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify({ TableName: table }),
    })
    const found = objectOf((await response.json()) as JsonObject, 'Table')
    if (!response.ok) throw new AwsError('ResourceNotFoundException', 'Requested resource not found')
    return found
  }
  return async (tableOrArn, index) => {
    const table = tableOrArn.slice(tableOrArn.indexOf('/') + 1)
    let description = known.get(table)
    if (description === undefined) {
      description = describe(table)
      known.set(table, description)
      description.catch(() => known.delete(table))
    }
    const found = await description
    const owner =
      index === undefined
        ? found
        : [...objectsOf(found, 'GlobalSecondaryIndexes'), ...objectsOf(found, 'LocalSecondaryIndexes')].find(
            (each) => stringOf(each, 'IndexName') === index,
          )
    const hash = objectsOf(owner ?? {}, 'KeySchema').find((key) => key['KeyType'] === 'HASH')
    return stringOf(hash ?? {}, 'AttributeName') ?? ''
  }
}
