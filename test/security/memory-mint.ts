// mint as production wires it, with a real key ring, on the memory adapters or on the stores a test brings: what the security
// tests drive in process. Every store is at hand, so a test can say not only that no token came out but that nothing was written either.
import { parse } from 'yaml'
import { compileStored } from '../../bin/embedded/compile.ts'
import { createTenantDirectory, type Validity, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import {
  createProofVerifier,
  importVerifyKey,
  nodeSignatureVerifier,
} from '../../lib/adapters/jose/evidence-signature.ts'
import { createMemoryDenials } from '../../lib/adapters/memory/denials.ts'
import { createFairTurns } from '../../lib/adapters/memory/fair-turns.ts'
import { createMemoryGrantStore } from '../../lib/adapters/memory/grant-store.ts'
import { createMemoryIssuerKeyStore } from '../../lib/adapters/memory/issuer-key-store.ts'
import { unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { createMemoryRevocationStore } from '../../lib/adapters/memory/revocation-store.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { createMemoryTenantConfigStore } from '../../lib/adapters/memory/tenant-config-store.ts'
import { createMemoryTenantState } from '../../lib/adapters/memory/tenant-state.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { GrantRecord, NotIssued } from '../../lib/domain/grant-record.ts'
import { neededSlots } from '../../lib/domain/key-rotation.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ExchangePorts } from '../../lib/flows/exchange-token.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createIssuerKeys } from '../../lib/flows/issuers/issuer-keys.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import { createMint, type MintPorts } from '../../lib/flows/mint-credential.ts'
import type { GrantStore, TenantState } from '../../lib/ports/grant-store.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { ConfigVersion, TenantConfigStore } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { Stores } from '../contract/stores.ts'
import { githubClaims, type IssuerKey, signAssertion } from '../support/evidence.ts'
import { handClock, type OwnKeys, ownKeys } from '../support/own-keys.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

export const BASE_URL = 'https://sts.mintmark.example'

/** Nothing here may go out: a source that is not inline is an outage. */
const noTrust = { refresh: () => Promise.reject(new Error('a security test reached for an issuer')) }

/** Read and compiled once: a model test makes hundreds of brokers of the same documents. */
const read = new Map<string, string>()
/** As apply stores it: JSON. */
const stored = (text: string): string => {
  const document = read.get(text) ?? JSON.stringify(parse(text))
  read.set(text, document)
  return document
}
const compiled = new Map<string, TenantConfig | null>()
const compile = (version: ConfigVersion): TenantConfig | null => {
  const known = compiled.get(version.digest)
  if (known !== undefined) return known
  const config = compileStored(version, { baseUrl: BASE_URL, dev: false })
  compiled.set(version.digest, config)
  return config
}

export type MintStores = {
  readonly configs: TenantConfigStore
  readonly revocations: RevocationStore
  readonly state: TenantState
  /** With a view of all that was put, in order. */
  readonly grants: GrantStore & {
    readonly records: () => readonly GrantRecord[] | Promise<readonly GrantRecord[]>
    readonly outcomes: () => readonly NotIssued[] | Promise<readonly NotIssued[]>
  }
}

export const memoryStores = (keys: SigningKeyStore): MintStores => {
  const configs = createMemoryTenantConfigStore()
  const revocations = createMemoryRevocationStore()
  return {
    configs,
    revocations,
    grants: createMemoryGrantStore(),
    state: createMemoryTenantState({ configs, revocations, keys }),
  }
}

/** RSA keys are what a broker costs: made once, and given to each in rows of its own, which nobody else sees move. */
const MADE = ownKeys()
const giveMade = async (own: OwnKeys, tenant: string, needed: ReturnType<typeof neededSlots>): Promise<void> => {
  await rotateKeys(MADE, { tenant, needed })
  for (const key of await MADE.store.list(tenant)) await own.store.insert(key)
}

export type MintWorld = {
  /** Whose keys it has; left out: its own. */
  readonly own?: OwnKeys
  readonly stores?: MintStores
  readonly validity?: Validity
  /** Other grants for acme. */
  readonly acmeGrants?: string
}

/** acme owns organization 1234567, globex 7777777; both trust GitHub with `issuerKey`. */
export const memoryMint = async (
  issuerKey: IssuerKey,
  change: (ports: MintPorts) => MintPorts = (ports) => ports,
  { own: given, stores: givenStores, validity, acmeGrants }: MintWorld = {},
) => {
  const own = given ?? ownKeys(createMemorySigningKeyStore(), handClock(), MADE.vault)
  const stores = givenStores ?? memoryStores(own.store)
  const { clock } = own
  const { configs, revocations, grants, state } = stores
  const ofAcme = (grants?: string) => githubTenant('acme', { keys: [issuerKey], ...(grants ? { grants } : {}) })
  const documents = {
    acme: stored(ofAcme(acmeGrants)),
    globex: stored(githubTenant('globex', { keys: [issuerKey], orgId: '7777777' })),
  }
  let mark = 0
  const put = (tenant: string, version: number, document: string) =>
    configs.put({
      tenant,
      version,
      digest: nodeDigest.sha256(document),
      author: 'test',
      commit: '',
      appliedAtSeconds: clock.nowSeconds(),
      document,
      diff: '',
    })
  for (const [tenant, document] of Object.entries(documents)) await put(tenant, 1, document)
  const tenants = createTenantDirectory({
    configs,
    validity: validity ?? whileUnmoved(() => mark),
    compile,
    onUnusable: (tenant) => {
      throw new Error(`the document of ${tenant} does not compile`)
    },
  })
  for (const tenant of Object.keys(documents)) {
    const config = await tenants.current(tenant)
    if (config === null) continue
    const needed = neededSlots(config)
    if (given === undefined) await giveMade(own, tenant, needed)
    await rotateKeys(own, { tenant, needed })
  }
  const issuerKeys = createIssuerKeys({
    store: createMemoryIssuerKeyStore(),
    trust: noTrust,
    clock,
    importKey: (jwk) => importVerifyKey(jwk),
    jitter: () => 0,
  })
  const evidence = { issuerKeys, signatures: nodeSignatureVerifier, digest: nodeDigest, providers: PROVIDER_CATALOG }
  const ports = change({
    ...evidence,
    tenants,
    proofs: createProofVerifier(nodeDigest),
    grants,
    state,
    keys: own.ring,
    clock,
    clockGuard: createClockGuard(clock, createMemoryTimeMark()),
  })
  const ids = createIds(clock)
  const { mint } = createMint(ports)
  const attestPorts: ExchangePorts = {
    ...evidence,
    tenants,
    mint: { mint },
    denials: createMemoryDenials(createMemoryGrantStore()),
    rates: unlimitedRates,
    ids,
    clock,
    turns: createFairTurns(clock),
  }
  /** The second version of acme's document; directories read it from then on. */
  const applyToAcme = async (document: string) => {
    await put('acme', 2, stored(document))
    mark += 1
  }
  return {
    mint,
    ports,
    attestPorts,
    grants,
    revocations,
    configs,
    own,
    clock,
    tenants,
    applyToAcme,
    /** The same with other grants only. */
    grantToAcme: (grants: string) => applyToAcme(ofAcme(grants)),
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
      source: '203.0.113.9',
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

export type MemoryMint = Awaited<ReturnType<typeof memoryMint>>

/** The parts of a mint on the stores of any engine. `keys` that were made before are put into them, for RSA keys cost. */
export const engineWorld = async (
  open: () => Stores,
  made?: OwnKeys,
): Promise<{ readonly own: OwnKeys; readonly stores: MintStores; readonly close: () => Promise<void> }> => {
  const engine = open()
  const own = ownKeys(engine.keys, made?.clock, made?.vault)
  if (made !== undefined)
    for (const tenant of ['acme', 'globex'])
      for (const key of await made.store.list(tenant)) await engine.keys.insert(key)
  const { configs, revocations, state } = engine
  const grants = {
    ...engine.grants,
    records: async () => (await engine.feed()).records,
    outcomes: async () => (await engine.feed()).outcomes,
  }
  return {
    own,
    stores: { configs, revocations, state, grants },
    close: engine.close,
  }
}
