// The AWS entry of attest.
import { dynamoClient, lambdaClient, sqsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { ATTEST_ENVIRONMENT, createAttest } from './compose.ts'

const place = readAwsPlace()

export const handler = createAttest(readEnvironment(ATTEST_ENVIRONMENT), {
  dynamo: dynamoClient(place),
  lambda: lambdaClient(place),
  sqs: sqsClient(place),
})
