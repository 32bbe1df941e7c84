// The AWS entry of mint.
import { dynamoClient, dynamoLike, kmsClient, stsClient } from '../../lib/adapters/aws/clients.ts'
import { readAwsPlace, readEnvironment } from '../../lib/config/environment.ts'
import { createMint, MINT_ENVIRONMENT } from './compose.ts'

const place = readAwsPlace()
const { region, endpoint } = place
const { MINTMARK_STS_RANGE, ...environment } = readEnvironment([...MINT_ENVIRONMENT, 'MINTMARK_STS_RANGE'])
const dynamo = dynamoClient(place)

/** Few exchanges are for a cloud's credentials: the others do not wait for this to be loaded. */
const openWebIdentity = async () => {
  const { createStsWebIdentity } = await import('../../lib/adapters/aws/sts-web-identity.ts')
  const { createGuardedHttp } = await import('../../lib/adapters/http/guarded-http.ts')
  const http = createGuardedHttp({ dev: endpoint !== undefined, egressAllow: [MINTMARK_STS_RANGE] })
  return createStsWebIdentity({ http, region, ...(endpoint === undefined ? {} : { endpoint }) })
}
let webIdentity: ReturnType<typeof openWebIdentity> | undefined

export const handler = createMint(environment, {
  dynamo,
  sts: stsClient(place),
  dynamoAs: dynamoLike(dynamo, place),
  kmsAs: (credentials) => kmsClient({ ...place, credentials }),
  webIdentity: {
    async open(order) {
      webIdentity ??= openWebIdentity()
      return (await webIdentity).open(order)
    },
  },
})
