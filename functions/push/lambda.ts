// The AWS entry of push.
import {
  dynamoClient,
  dynamoLike,
  lambdaClient,
  secretsClient,
  sqsClient,
  stsClient,
} from '../../lib/adapters/aws/clients.ts'
import { createReceiverHttp } from '../../lib/adapters/http/receiver-http.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createPush, PUSH_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createPush(readEnvironment(PUSH_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  http: createReceiverHttp({ dev: place.endpoint !== undefined, egressAllow: [] }),
  lambda: lambdaClient(place),
  secretsAs: (credentials) => secretsClient({ ...place, credentials }),
  sqs: sqsClient(place),
  sts: stsClient(place),
})
