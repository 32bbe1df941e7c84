// trust on AWS: the only function that fetches from the internet, and the only writer of the rows others judge evidence by.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import { isOwnUrl } from '../../lib/wire/tenant-urls.ts'
import { createKeysOfIssuers } from '../issuer-keys.ts'
import { createTenants, placeOf } from '../tenants.ts'
import { createHandler, createInvoked } from './handler.ts'

export const TRUST_ENVIRONMENT = ['MINTMARK_BASE_URL', 'MINTMARK_CORE_TABLE'] as const

export type TrustClients = { readonly dynamo: DynamoDBClient; readonly http: OutboundHttp }

export const createTrust = (
  environment: Environment<(typeof TRUST_ENVIRONMENT)[number]>,
  { dynamo, http }: TrustClients,
) => {
  const log = createLogger('trust')
  const baseUrl = environment.MINTMARK_BASE_URL
  const table = tableOf(environment.MINTMARK_CORE_TABLE, dynamo)
  const configs = createTenantConfigStore(table)
  const store = createIssuerKeyStore(table)
  const trust = createHandler({
    http,
    store,
    clock,
    isOwnUrl: (url) => isOwnUrl(url, placeOf(baseUrl)),
    observe(event) {
      if (event.kind !== 'keys_refreshed') log.warn('issuer keys were not refreshed', { ...event })
      else if (event.dropped.length > 0) log.warn('keys of an issuer were dropped', { ...event })
    },
  })
  const tenants = createTenants({ configs, baseUrl, log })
  return createInvoked({ configs, tenants, trust, keys: createKeysOfIssuers({ store, trust }) }, log)
}
