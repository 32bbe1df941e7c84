// Sessions of AWS roles in the embedded broker: by web identity only, which needs nothing of AWS but that it can read our key set.
import { createStsWebIdentity } from '../../lib/adapters/aws/sts-web-identity.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { isFederationIssuer } from '../../lib/domain/aws-session.ts'
import type { CloudSessions } from '../../lib/ports/cloud-sessions.ts'
import type { Place } from '../policy/compile-options.ts'

/** The names the AWS SDKs give them. */
export type AwsPlace = {
  /** AWS_REGION */
  readonly region: string | undefined
  /** AWS_ENDPOINT_URL_STS */
  readonly stsEndpoint: string | undefined
}

/** Null: AWS could not verify our tokens, so none is made. An endpoint that was named is somebody's who can. */
export const embeddedCloudSessions = (
  place: Place,
  egressAllow: readonly string[],
  { region, stsEndpoint }: AwsPlace,
): CloudSessions | null => {
  if (stsEndpoint === undefined && !isFederationIssuer(place.baseUrl)) return null
  const http = createGuardedHttp({ dev: place.dev, egressAllow })
  const endpoint = stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }
  return { webIdentity: createStsWebIdentity({ http, region: region ?? null, ...endpoint }), assumedRole: null }
}
