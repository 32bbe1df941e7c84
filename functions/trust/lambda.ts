// The AWS entry of trust.
import { dynamoClient } from '../../lib/adapters/aws/clients.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createTrust, TRUST_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()

export const handler = createTrust(readEnvironment(TRUST_ENVIRONMENT), {
  dynamo: dynamoClient(place),
  http: createGuardedHttp({ dev: place.endpoint !== undefined, egressAllow: [] }),
})
