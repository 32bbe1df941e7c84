// The keys of issuers in one process: trust fetches and stores, the reader caches, rounds refresh ahead of expiry so that
// requests do not wait for an issuer.
import { createHandler as createTrust } from '../../functions/trust/handler.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { importVerifyKey } from '../../lib/adapters/jose/evidence-signature.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createIssuerKeyStore } from '../../lib/adapters/sqlite/issuer-key-store.ts'
import { type BrokerCounts, countOne, type RefreshOutcome } from '../../lib/domain/broker-counts.ts'
import type { KeySource } from '../../lib/domain/key-source.ts'
import { keyOwnersOf } from '../../lib/domain/tenant-config.ts'
import { createIssuerKeys, type RefreshedIssuerKeys } from '../../lib/flows/issuers/issuer-keys.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { TrustEvent } from '../../lib/ports/issuer-keys.ts'
import type { TenantConfigStore, TenantDirectory } from '../../lib/ports/tenants.ts'
import { isOwnUrl } from '../../lib/wire/tenant-urls.ts'
import type { Place } from '../policy/compile-options.ts'
import { runRounds } from './run-rounds.ts'

type IssuerKeysOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly place: Place
  readonly egressAllow: readonly string[]
  readonly configs: TenantConfigStore
  readonly tenants: TenantDirectory
  readonly log: { warn(message: string, fields: Record<string, unknown>): void }
  readonly counts: BrokerCounts | undefined
}

const PERIOD_MS = 5_000

export const startIssuerKeys = (
  options: IssuerKeysOptions,
): { readonly keys: RefreshedIssuerKeys; readonly close: () => Promise<void> } => {
  const { database, clock, place, log, counts } = options
  const store = createIssuerKeyStore(database)
  const observe = (event: TrustEvent) => {
    if (counts) countOne(counts.refreshes, outcomeOf(event))
    if (event.kind !== 'keys_refreshed') log.warn('issuer keys were not refreshed', { ...event })
    else if (event.dropped.length > 0) log.warn('keys of an issuer were dropped', { ...event })
  }
  const http = createGuardedHttp({ dev: place.dev, egressAllow: options.egressAllow })
  const trust = createTrust({ http, store, clock, isOwnUrl: (url) => isOwnUrl(url, place), observe })
  const keys = createIssuerKeys({ store, trust, clock, importKey: (jwk) => importVerifyKey(jwk), jitter: Math.random })

  let isWarm = false
  const { close } = runRounds({
    round: async () => {
      // Warm before the first job asks; a dead issuer must not hold up the start.
      await keys.refreshDue(isWarm ? [] : await fetchedSources(options))
      isWarm = true
      return false
    },
    pauseMs: PERIOD_MS,
    onFailure: () => log.warn('issuer keys could not be looked through', {}),
  })
  return { keys, close }
}

const outcomeOf = (event: TrustEvent): RefreshOutcome => {
  if (event.kind === 'keys_refreshed') return 'refreshed'
  return event.keptLastGood ? 'kept' : 'failed'
}

const fetchedSources = async ({ configs, tenants }: IssuerKeysOptions): Promise<KeySource[]> => {
  const sources: KeySource[] = []
  for (const { tenant } of await configs.list()) {
    const config = await tenants.current(tenant)
    for (const { keys } of config === null ? [] : keyOwnersOf(config)) if (keys.kind !== 'inline') sources.push(keys)
  }
  return sources
}
