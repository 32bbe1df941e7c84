// Our own keys, sealed, in this process.
import type { SigningKey } from '../../domain/signing-key.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'

export const createMemorySigningKeyStore = (): SigningKeyStore => {
  const keys = new Map<string, SigningKey>()
  const secrets = new Map<string, Uint8Array>()
  const keyOf = (tenant: string, kid: string): string => `${tenant}\0${kid}`
  return {
    list: async (tenant) =>
      [...keys.values()]
        .filter((key) => key.tenant === tenant)
        .sort((a, b) => a.createdAtSeconds - b.createdAtSeconds || (a.kid < b.kid ? -1 : 1)),
    async insert(key) {
      const at = keyOf(key.tenant, key.kid)
      if (keys.has(at)) return false
      keys.set(at, key)
      return true
    },
    async move(tenant, kid, from, to, atSeconds) {
      const key = keys.get(keyOf(tenant, kid))
      if (key?.state !== from) return false
      keys.set(keyOf(tenant, kid), {
        ...key,
        state: to,
        activatedAtSeconds: to === 'active' ? (key.activatedAtSeconds ?? atSeconds) : key.activatedAtSeconds,
        endedAtSeconds: to === 'prepared' || to === 'active' ? key.endedAtSeconds : (key.endedAtSeconds ?? atSeconds),
      })
      return true
    },
    async prove(tenant, kid, atSeconds) {
      const key = keys.get(keyOf(tenant, kid))
      if (key?.provenAtSeconds === null) keys.set(keyOf(tenant, kid), { ...key, provenAtSeconds: atSeconds })
    },
    async feedSecret(tenant, seal) {
      const sealed = secrets.get(tenant) ?? (await seal())
      // Another caller may have been faster while this one sealed.
      const secret = secrets.get(tenant) ?? sealed
      secrets.set(tenant, secret)
      return secret
    },
  }
}
