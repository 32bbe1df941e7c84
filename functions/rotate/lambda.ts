// The AWS entry of rotate.
import { dynamoClient, dynamoLike, kmsClient, lambdaClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createRotate, ROTATE_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createRotate(readEnvironment(ROTATE_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  kmsAs: (credentials) => kmsClient({ ...place, credentials }),
  lambda: lambdaClient(place),
  sts: stsClient(place),
})
