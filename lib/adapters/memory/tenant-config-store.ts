// Versions of tenant documents in this process.
import type { ConfigVersion, TenantConfigStore } from '../../ports/tenants.ts'

export const createMemoryTenantConfigStore = (): TenantConfigStore => {
  const versions = new Map<string, ConfigVersion[]>()
  const tombstones = new Map<string, number>()
  const of = (tenant: string): readonly ConfigVersion[] => versions.get(tenant) ?? []
  return {
    async latest(tenant) {
      const version = of(tenant).at(-1)
      return version === undefined ? null : { version, tombstonedAtSeconds: tombstones.get(tenant) ?? null }
    },
    list: async () =>
      [...versions.keys()].sort().map((tenant) => {
        const { version, digest } = of(tenant).at(-1)!
        return { tenant, version, digest, tombstonedAtSeconds: tombstones.get(tenant) ?? null }
      }),
    version: async (tenant, version) => of(tenant)[version - 1] ?? null,
    seen: async (tenant, digest) =>
      of(tenant)
        .slice(0, -1)
        .some((past) => past.digest === digest),
    async put(version) {
      const past = of(version.tenant)
      if (version.version !== past.length + 1) return false
      versions.set(version.tenant, [...past, version])
      return true
    },
    async tombstone(tenant, atSeconds) {
      if (!tombstones.has(tenant)) tombstones.set(tenant, atSeconds)
    },
  }
}
