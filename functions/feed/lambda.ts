// The AWS entry of feed.
import { dynamoClient, dynamoLike, kmsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createFeedFunction, FEED_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createFeedFunction(readEnvironment(FEED_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  kmsAs: (credentials) => kmsClient({ ...place, credentials }),
  sts: stsClient(place),
})
