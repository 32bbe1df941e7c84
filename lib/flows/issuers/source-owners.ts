// Whose key sources this process has read: a request to trust may name only a tenant and an issuer, never a place (design §2).
import { keySourceId } from '../../domain/key-source.ts'
import { keyOwnersOf, type TenantConfig } from '../../domain/tenant-config.ts'

export type SourceOwner = { readonly tenant: string; readonly issuer: string }

export type SourceOwners = {
  readonly learn: (config: TenantConfig) => void
  /** A source that several tenants share is fetched in the name of the one learnt last. Null: of none that was learnt. */
  readonly of: (sourceId: string) => SourceOwner | null
}

const SOURCES_MAX = 50_000

export const createSourceOwners = (): SourceOwners => {
  const owners = new Map<string, SourceOwner>()
  return {
    learn(config) {
      if (owners.size >= SOURCES_MAX) owners.clear()
      for (const { name, keys } of keyOwnersOf(config))
        if (keys.kind !== 'inline') owners.set(keySourceId(keys), { tenant: config.tenant, issuer: name })
    },
    of: (sourceId) => owners.get(sourceId) ?? null,
  }
}
