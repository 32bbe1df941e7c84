// One request with a client as the functions have it, to be bundled as they are (test/infra/bundle.test.ts).
import { ConditionalCheckFailedException, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { dynamoClient } from '../../lib/adapters/aws/clients.ts'

const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret', sessionToken: 'token' }

export const ask = async (endpoint: string): Promise<unknown> => {
  const client = dynamoClient({ region: 'eu-west-1', endpoint, credentials })
  const command = new GetItemCommand({ TableName: 'core', Key: { pk: { S: 'a' }, sk: { S: 'b' } } })
  return client.send(command).catch((error: Error) => {
    const isConditional = error instanceof ConditionalCheckFailedException
    return { name: error.name, isConditional, ...(isConditional ? { item: error.Item } : {}) }
  })
}
