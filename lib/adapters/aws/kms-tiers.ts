// Both tiers of signing keys behind one port. New pairs are of the tenant's tier; an old key is opened as it was made, whatever
// tier its tenant has by now.
import { Unavailable } from '../../domain/unavailable.ts'
import type { KeyPairs, KeyVault } from '../../ports/signing-keys.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { createHeldKeyPairs, createHeldKeyVault, isHeld } from './kms-held-keys.ts'
import { createWrappedKeyPairs, createWrappedKeyVault, type WrappedKeyOptions } from './kms-wrapped-keys.ts'

export const createTieredKeyPairs = (
  options: WrappedKeyOptions,
  tenants: Pick<TenantDirectory, 'current'>,
): KeyPairs => {
  const pairs = { pooled: createWrappedKeyPairs(options), silo: createHeldKeyPairs(options.kms) }
  return {
    async generate(owner) {
      const config = await tenants.current(owner.tenant)
      if (config === null) throw new Unavailable('changed_underway')
      return pairs[config.tier].generate(owner)
    },
  }
}

export const createTieredKeyVault = (options: WrappedKeyOptions): KeyVault => {
  const wrapped = createWrappedKeyVault(options)
  const held = createHeldKeyVault(options.kms, wrapped)
  return { ...wrapped, open: (key) => (isHeld(key.sealed) ? held : wrapped).open(key) }
}

/** For whoever only reads the secret behind the handles: mint makes it with the tenant's first token, and before that none is denied. */
export const withoutNewSecrets = (vault: KeyVault): KeyVault => ({
  ...vault,
  sealSecret() {
    throw new Unavailable('signing_key_unavailable')
  },
})
