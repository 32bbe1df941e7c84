// The AWS entry of events.
import {
  dynamoClient,
  dynamoLike,
  lambdaClient,
  secretsClient,
  sqsClient,
  stsClient,
} from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createEvents, EVENTS_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createEvents(readEnvironment(EVENTS_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  lambda: lambdaClient(place),
  secretsAs: (credentials) => secretsClient({ ...place, credentials }),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
