// The AWS entry of audit.
import { dynamoClient, dynamoLike, sqsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { AUDIT_ENVIRONMENT, createAudit } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createAudit(readEnvironment(AUDIT_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
