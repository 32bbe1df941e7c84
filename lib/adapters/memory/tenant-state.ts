// The strong read of mint over the other stores of this process.
import type { TenantState } from '../../ports/grant-store.ts'
import type { RevocationStore } from '../../ports/revocations.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'

export type MemoryState = {
  readonly configs: TenantConfigStore
  readonly revocations: RevocationStore
  readonly keys: SigningKeyStore
}

export const createMemoryTenantState = ({ configs, revocations, keys }: MemoryState): TenantState => ({
  peek: () => undefined,
  async read({ tenant, selectors, kid }) {
    const [latest, all, ours] = await Promise.all([configs.latest(tenant), revocations.list(tenant), keys.list(tenant)])
    const isAsked = (kind: string, issuer: string, value: string): boolean =>
      selectors.some((selector) => selector.kind === kind && selector.issuer === issuer && selector.value === value)
    return {
      configVersion: latest === null || latest.tombstonedAtSeconds !== null ? null : latest.version.version,
      revocations: all.filter(({ kind, issuer, value }) => isAsked(kind, issuer, value)),
      keyState: ours.find((key) => key.kid === kid)?.state ?? null,
    }
  },
})
