// The AWS entry of erase.
import { dynamoClient, dynamoLike, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createErase, ERASE_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createErase(readEnvironment(ERASE_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  sts: stsClient(place),
})
