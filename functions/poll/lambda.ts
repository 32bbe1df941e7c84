// The AWS entry of poll.
import { dynamoClient, dynamoLike, lambdaClient, sqsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createPollFunction, POLL_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createPollFunction(readEnvironment(POLL_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  lambda: lambdaClient(place),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
