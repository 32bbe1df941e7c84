// trust, invoked: the issuer is named and nothing more; where its keys are is read here, from the tenant's own document
// (design §2). Whatever a caller with no good in mind sends, only registered places are fetched.
import { keyOwnersOf } from '../../domain/tenant-config.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { RefreshOutcome, RefreshReason, Trust } from '../../ports/issuer-keys.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'

export type NamedIssuer = { readonly tenant: string; readonly issuer: string; readonly why: RefreshReason }

/** Throws Unavailable(changed_underway) where there is no such issuer, or no more: the caller's configuration is another. */
export const refreshNamedIssuer = async (
  ports: { readonly trust: Trust; readonly tenants: Pick<TenantDirectory, 'current'> },
  { tenant, issuer, why }: NamedIssuer,
): Promise<RefreshOutcome> => {
  const config = await ports.tenants.current(tenant)
  const keys = config === null ? undefined : keyOwnersOf(config).find(({ name }) => name === issuer)?.keys
  if (keys === undefined || keys.kind === 'inline') throw new Unavailable('changed_underway')
  return ports.trust.refresh(keys, why)
}
