// mint on AWS: rows and keys of a tenant through that tenant's session, what is no tenant's through its own role. It asks
// nobody for keys of issuers: it takes what trust wrote.
import type { KMSClient } from '@aws-sdk/client-kms'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { createTieredKeyVault } from '../../lib/adapters/aws/kms-tiers.ts'
import { createStsAssumedRole } from '../../lib/adapters/aws/sts-assumed-role.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { createProofVerifier, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { nodeDecodeBase64url } from '../../lib/adapters/system/base64url.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createMarkedClock } from '../../lib/flows/guard-clock.ts'
import { storedKeysOnly } from '../../lib/flows/issuers/issuer-keys.ts'
import type { WebIdentitySessions } from '../../lib/ports/cloud-sessions.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { createKeysOfIssuers, rereadNowAndThen } from '../issuer-keys.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createInvoked } from './handler.ts'

export const MINT_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_POOL_KEY',
] as const

export type MintClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly kmsAs: (credentials: ClientPlace['credentials']) => KMSClient
  readonly webIdentity: WebIdentitySessions
}

export const createMint = (
  environment: Environment<(typeof MINT_ENVIRONMENT)[number]>,
  { kmsAs, webIdentity, ...clients }: MintClients,
) => {
  const log = createLogger('mint')
  const name = environment.MINTMARK_CORE_TABLE
  const shared = tableOf(name, clients.dynamo)
  const { sessions, table } = openTenantTable(name, environment.MINTMARK_DATA_ROLE, clients)
  const store = createSigningKeyStore(table)
  const vault = createTieredKeyVault({
    kms: clientOfTenants(sessions, kmsAs),
    wrappingKey: environment.MINTMARK_POOL_KEY,
  })
  const issuerKeys = createKeysOfIssuers({ store: createIssuerKeyStore(shared), trust: storedKeysOnly })
  const reread = rereadNowAndThen(issuerKeys)
  const ports = {
    issuerKeys,
    signatures: nodeSignatureVerifier,
    digest: nodeDigest,
    decodeBase64url: nodeDecodeBase64url,
    providers: PROVIDER_CATALOG,
    tenants: createTenants({
      configs: createTenantConfigStore(table),
      baseUrl: environment.MINTMARK_BASE_URL,
      log,
    }),
    proofs: createProofVerifier(nodeDigest),
    grants: createGrantStore(table),
    state: createTenantState(table),
    keys: createLocalKeyRing({ store, vault, clock }),
    clock,
    cloudSessions: { webIdentity, assumedRole: createStsAssumedRole({ sts: clients.sts, clock }) },
  }
  const marked = createMarkedClock({ clock, start: () => startTimeMark({ table: shared, clock }) })
  return createInvoked(
    {
      async open() {
        await reread()
        return { ...ports, clockGuard: await marked.guard() }
      },
      activation: { store, prover: createKeyProver(vault), clock, use: 'token' },
      settle: marked.settle,
    },
    log,
  )
}
