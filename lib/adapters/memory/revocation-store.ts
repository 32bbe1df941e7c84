// Revocations in this process.
import type { Revocation } from '../../domain/revocation.ts'
import type { RevocationStore } from '../../ports/revocations.ts'

export const createMemoryRevocationStore = (): RevocationStore => {
  const inForce = new Map<string, Revocation>()
  const keyOf = ({ tenant, kind, issuer, value, form }: Revocation): string =>
    [tenant, kind, issuer, value, form].join('\0')
  return {
    async put(revocation) {
      const key = keyOf(revocation)
      const before = inForce.get(key)
      const bounds = [before?.notBeforeSeconds ?? null, revocation.notBeforeSeconds].filter((bound) => bound !== null)
      const now: Revocation =
        before === undefined || bounds.length === 0
          ? (before ?? revocation)
          : { ...before, notBeforeSeconds: Math.max(...bounds) }
      inForce.set(key, now)
      return now
    },
    list: async (tenant) => [...inForce.values()].filter((revocation) => revocation.tenant === tenant),
    async lift({ tenant, id }) {
      const found = [...inForce.values()].find((it) => it.id === id && it.tenant === tenant && it.form === 'block')
      return found !== undefined && inForce.delete(keyOf(found))
    },
  }
}
