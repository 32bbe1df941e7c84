// The AWS entry of admin.
import { dynamoClient, dynamoLike, sqsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { ADMIN_ENVIRONMENT, createAdmin } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createAdmin(readEnvironment(ADMIN_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
