// The AWS entry of mint.
import { dynamoClient, dynamoLike, kmsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { createStsWebIdentity } from '../../lib/adapters/aws/sts-web-identity.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createMint, MINT_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const { region, endpoint } = place
const { MINTMARK_STS_RANGE, ...environment } = readEnvironment([...MINT_ENVIRONMENT, 'MINTMARK_STS_RANGE'])
const dynamo = dynamoClient(place)
const http = createGuardedHttp({ dev: endpoint !== undefined, egressAllow: [MINTMARK_STS_RANGE] })

export const handler = createMint(environment, {
  dynamo,
  sts: stsClient(place),
  dynamoAs: dynamoLike(dynamo, place),
  kmsAs: (credentials) => kmsClient({ ...place, credentials }),
  webIdentity: createStsWebIdentity({ http, region, ...(endpoint === undefined ? {} : { endpoint }) }),
})
