// The AWS entry of discovery.
import { dynamoClient, dynamoLike, lambdaClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createDiscovery, DISCOVERY_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createDiscovery(readEnvironment(DISCOVERY_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  lambda: lambdaClient(place),
  sts: stsClient(place),
})
