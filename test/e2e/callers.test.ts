// The embedded broker held to the suite of tenants' own tokens that the AWS functions are held to (test/aws/offline.test.ts).
import { afterAll, beforeAll } from 'vitest'
import { type RunningBroker, removeBroker } from '../support/broker.ts'
import { callerHttpSuite, callerTenant } from '../support/caller-http-suite.ts'
import { issuerKey } from '../support/evidence.ts'
import { startTwoNamingTheirUrls } from '../support/two-tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
beforeAll(async () => {
  ;({ broker } = await startTwoNamingTheirUrls((name, url, orgId) => callerTenant(name, url, key, orgId)))
})
afterAll(() => removeBroker(broker))

callerHttpSuite(() => ({ url: broker.url, key }))
