// The AWS entry of deliver.
import { dynamoClient, dynamoLike, lambdaClient, secretsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createDeliver, DELIVER_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const dynamo = dynamoClient(place)

export const handler = createDeliver(readEnvironment(DELIVER_ENVIRONMENT), {
  dynamo,
  dynamoAs: dynamoLike(dynamo, place),
  sts: stsClient(place),
  secretsAs: (credentials) => secretsClient({ ...place, credentials }),
  lambda: lambdaClient(place),
  http: createGuardedHttp({ dev: place.endpoint !== undefined, egressAllow: [], ports: 'any', query: true }),
})
