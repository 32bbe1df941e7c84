// The AWS entry of introspect.
import { dynamoClient, dynamoLike, sqsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createIntrospect, INTROSPECT_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createIntrospect(readEnvironment(INTROSPECT_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
