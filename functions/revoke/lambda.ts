// The AWS entry of revoke.
import {
  dynamoClient,
  dynamoLike,
  iamClient,
  secretsClient,
  sqsClient,
  stsClient,
} from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createRevoke, REVOKE_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createRevoke(readEnvironment(REVOKE_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  iamAs: (credentials) => iamClient({ ...place, credentials }),
  secretsAs: (credentials) => secretsClient({ ...place, credentials }),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
