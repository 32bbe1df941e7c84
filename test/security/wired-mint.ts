// mint as production wires it, over the stores of any engine and with a real key ring: what the security tests drive in
// process. What it writes is noted, so a test can say not only that no token came out but that nothing was written either.
import { expect } from 'vitest'
import { parse } from 'yaml'
import { compileStored } from '../../bin/embedded/compile.ts'
import { createTenantDirectory } from '../../lib/adapters/config/tenant-directory.ts'
import {
  createProofVerifier,
  importVerifyKey,
  nodeSignatureVerifier,
} from '../../lib/adapters/jose/evidence-signature.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createMemoryIssuerKeyStore } from '../../lib/adapters/memory/issuer-key-store.ts'
import { unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { GrantRecord, NotIssued } from '../../lib/domain/grant-record.ts'
import { neededSlots } from '../../lib/domain/key-rotation.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import { createInFlight, type ExchangePorts } from '../../lib/flows/exchange-token.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createIssuerKeys } from '../../lib/flows/issuer-keys.ts'
import { createMint, type MintPorts } from '../../lib/flows/mint-credential.ts'
import { rotateKeys } from '../../lib/flows/rotate-keys.ts'
import type { GrantStore } from '../../lib/ports/grant-store.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { Stores } from '../contract/stores.ts'
import { githubClaims, type IssuerKey, signAssertion } from '../support/evidence.ts'
import { type OwnKeys, ownKeys } from '../support/own-keys.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

export const BASE_URL = 'https://sts.mintmark.example'

/** Nothing here may go out: a source that is not inline is an outage. */
const noTrust = { refresh: () => Promise.reject(new Error('a security test reached for an issuer')) }

/** As apply stores it: JSON. */
const stored = (text: string): string => JSON.stringify(parse(text))

// Read and compiled once: a model test makes hundreds of brokers of the same documents.
const documentsOf = new WeakMap<IssuerKey, Readonly<Record<string, string>>>()
const documentsFor = (issuerKey: IssuerKey): Readonly<Record<string, string>> => {
  const documents = documentsOf.get(issuerKey) ?? {
    acme: stored(githubTenant('acme', { keys: [issuerKey] })),
    globex: stored(githubTenant('globex', { keys: [issuerKey], orgId: '7777777' })),
  }
  documentsOf.set(issuerKey, documents)
  return documents
}
const compiled = new Map<string, TenantConfig | null>()
const compile = (version: ConfigVersion): TenantConfig | null => {
  const known = compiled.get(version.digest)
  if (known !== undefined) return known
  const config = compileStored(version, { baseUrl: BASE_URL, dev: false })
  compiled.set(version.digest, config)
  return config
}

const versionOf = (tenant: string, version: number, document: string, appliedAtSeconds: number): ConfigVersion => ({
  tenant,
  version,
  digest: nodeDigest.sha256(document),
  author: 'test',
  commit: '',
  appliedAtSeconds,
  document,
  diff: '',
})

/** Keys are what a mint costs: those made for `own` once are put into every store. */
const bringKeys = async (own: OwnKeys, stores: Stores, tenant: string, config: TenantConfig | null): Promise<void> => {
  if (config !== null) await rotateKeys(own, { tenant, needed: neededSlots(config) })
  for (const key of await own.store.list(tenant)) await stores.keys.insert(key)
}

/** The store, and what was written to it through this port. */
const noting = (grants: GrantStore) => {
  const records: GrantRecord[] = []
  const outcomes: NotIssued[] = []
  const noted: GrantStore = {
    ...grants,
    async put(put) {
      const answer = await grants.put(put)
      if (answer.outcome === 'created') records.push(put.record)
      return answer
    },
    async putNotIssued(outcome) {
      await grants.putNotIssued(outcome)
      outcomes.push(outcome)
    },
  }
  return { grants: noted, records, outcomes }
}

/** acme owns organization 1234567, globex 7777777; both trust GitHub with `issuerKey`. `own`: to share made keys. */
export const wiredMint = async (
  stores: Stores,
  issuerKey: IssuerKey,
  change: (ports: MintPorts) => MintPorts = (ports) => ports,
  own: OwnKeys = ownKeys(),
) => {
  const { clock } = own
  const { configs } = stores
  const documents = documentsFor(issuerKey)
  let mark = 0
  for (const [tenant, document] of Object.entries(documents))
    await configs.put(versionOf(tenant, 1, document, clock.nowSeconds()))
  const tenants = createTenantDirectory({
    configs,
    changeMark: () => mark,
    compile,
    onUnusable: (tenant) => {
      throw new Error(`the document of ${tenant} does not compile`)
    },
  })
  for (const tenant of Object.keys(documents)) await bringKeys(own, stores, tenant, await tenants.current(tenant))
  const issuerKeys = createIssuerKeys({
    store: createMemoryIssuerKeyStore(),
    trust: noTrust,
    clock,
    importKey: (jwk) => importVerifyKey(jwk),
    jitter: () => 0,
  })
  const { grants, records, outcomes } = noting(stores.grants)
  const keys = createLocalKeyRing({ store: stores.keys, sealer: own.sealer, clock })
  const evidence = { issuerKeys, signatures: nodeSignatureVerifier, digest: nodeDigest, providers: PROVIDER_CATALOG }
  const ports = change({
    ...evidence,
    tenants,
    proofs: createProofVerifier(nodeDigest),
    grants,
    state: stores.state,
    keys,
    clock,
    clockGuard: createClockGuard(clock, stores.timeMark),
  })
  const ids = createIds(clock)
  const { mint } = createMint(ports)
  const attestPorts: ExchangePorts = {
    ...evidence,
    tenants,
    mint: { mint },
    denials: stores.denials,
    rates: unlimitedRates,
    ids,
    clock,
    inFlight: createInFlight(),
  }
  return {
    mint,
    ports,
    attestPorts,
    stores,
    records,
    outcomes,
    keys,
    clock,
    tenants,
    /** The next version of acme. */
    apply: async (text: string) => {
      const document = stored(text)
      const version = ((await configs.latest('acme'))?.version.version ?? 0) + 1
      expect(await configs.put(versionOf('acme', version, document, clock.nowSeconds()))).toBe(true)
      mark += 1
    },
    /** Configuration was written: directories read again. */
    moveMark: () => {
      mark += 1
    },
    request: (evidenceOf: string, overrides: Partial<MintRequest> = {}): MintRequest => ({
      tenant: 'acme',
      grantType: 'token-exchange',
      evidence: evidenceOf,
      target: { type: null, audiences: [TARGET], scope: null, grant: null },
      idempotencyKey: null,
      dpop: null,
      decisionId: ids.decisionId(),
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      ...overrides,
    }),
    /** A GitHub assertion of now, by this broker's clock. */
    assertion: (overrides: Record<string, unknown> = {}, tenant = 'acme', key = issuerKey): string => {
      const now = clock.nowSeconds()
      return signAssertion(
        key,
        githubClaims(`${BASE_URL}/t/${tenant}`, { iat: now, nbf: now - 300, exp: now + 300, ...overrides }),
      )
    },
  }
}

export type WiredMint = Awaited<ReturnType<typeof wiredMint>>
