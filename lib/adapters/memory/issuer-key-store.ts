// Issuer key sets in memory: one process, lost when it ends.
import type { IssuerKeyStore, StoredKeySet } from '../../ports/issuer-keys.ts'

export const createMemoryIssuerKeyStore = (): IssuerKeyStore => {
  const sets = new Map<string, StoredKeySet>()
  return {
    read: async (sourceId) => sets.get(sourceId) ?? null,
    write: async (set) => {
      sets.set(set.sourceId, set)
    },
  }
}
