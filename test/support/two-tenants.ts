// A broker with two tenants, acme and globex, of one issuer, each for a customer of its own. Whoever starts it removes it.
import { type RunningBroker, startBroker } from './broker.ts'
import type { IssuerKey } from './evidence.ts'
import { freePort } from './free-port.ts'
import { githubTenant } from './tenants.ts'

/** Their customers of GitHub. */
export const ORGS = { acme: '1234567', globex: '7777777' } as const
export type Tenant = keyof typeof ORGS

/** `acme`, `globex`: their URLs. */
export type TwoTenants = { readonly broker: RunningBroker; readonly acme: string; readonly globex: string }

/** With the grant of tenants.ts. */
export const startTwoTenants = async (key: IssuerKey): Promise<TwoTenants> => {
  const tenant = (name: Tenant) => githubTenant(name, { keys: [key], orgId: ORGS[name] })
  const broker = await startBroker({ tenants: { acme: tenant('acme'), globex: tenant('globex') } })
  return { broker, acme: `${broker.url}/t/acme`, globex: `${broker.url}/t/globex` }
}

/** With documents that name the URL their tenant will have. */
export const startTwoNamingTheirUrls = async (
  document: (name: Tenant, issuerUrl: string, orgId: string) => string,
  args: readonly string[] = [],
): Promise<TwoTenants> => {
  const port = await freePort()
  const url = (name: Tenant) => `http://127.0.0.1:${port}/t/${name}`
  const tenant = (name: Tenant) => document(name, url(name), ORGS[name])
  const broker = await startBroker({
    tenants: { acme: tenant('acme'), globex: tenant('globex') },
    args: ['--port', String(port), ...args],
  })
  return { broker, acme: url('acme'), globex: url('globex') }
}
