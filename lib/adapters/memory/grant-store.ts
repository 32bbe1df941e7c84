// Grant records in this process: what tests and offline commands use. Keeps every law of the port but durability.
import type { GrantRecord, NotIssued } from '../../domain/grant-record.ts'
import type { GrantPut, GrantStore, PutOutcome } from '../../ports/grant-store.ts'

export type MemoryGrants = GrantStore & {
  /** Everything that was put, in order. */
  readonly records: () => readonly GrantRecord[]
  readonly outcomes: () => readonly NotIssued[]
}

export const createMemoryGrantStore = (): MemoryGrants => {
  const byGuard = new Map<string, GrantRecord>()
  const proofs = new Set<string>()
  const outcomes = new Map<string, NotIssued>()
  const keyOf = (tenant: string, guard: string): string => `${tenant}\0${guard}`

  const put = ({ record, guard, proofGuard }: GrantPut): PutOutcome => {
    const key = keyOf(record.tenant, guard)
    const existing = byGuard.get(key)
    if (existing !== undefined) return { outcome: 'exists', existing, notIssued: outcomes.has(existing.decisionId) }
    if (proofGuard !== null) {
      const proof = keyOf(record.tenant, proofGuard.hash)
      if (proofs.has(proof)) return { outcome: 'proof_replayed' }
      proofs.add(proof)
    }
    byGuard.set(key, structuredClone(record))
    return { outcome: 'created' }
  }

  return {
    put: async (asked) => put(asked),
    find: async (tenant, guard) => {
      const record = byGuard.get(keyOf(tenant, guard))
      return record === undefined ? null : { record, notIssued: outcomes.has(record.decisionId) }
    },
    putNotIssued: async ({ outcome }) => {
      if (!outcomes.has(outcome.decisionId)) outcomes.set(outcome.decisionId, outcome)
    },
    records: () => [...byGuard.values()],
    outcomes: () => [...outcomes.values()],
  }
}
