// The embedded broker held to the suite of tenants' own tokens that the AWS functions are held to (test/aws/offline.test.ts).
import { afterAll, beforeAll } from 'vitest'
import { type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { callerHttpSuite, callerTenant } from '../support/caller-http-suite.ts'
import { issuerKey } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
beforeAll(async () => {
  const port = await freePort()
  const tenant = (name: string, orgId: string) => callerTenant(name, `http://127.0.0.1:${port}/t/${name}`, key, orgId)
  broker = await startBroker({
    tenants: { acme: tenant('acme', '1234567'), globex: tenant('globex', '7777777') },
    args: ['--port', String(port)],
  })
})
afterAll(() => removeBroker(broker))

callerHttpSuite(() => ({ url: broker.url, key }))
