// Spent proofs in this process, for tests: every law of the port but durability, and none is forgotten.
import type { ProofGuards } from '../../ports/proof-guards.ts'

export const createMemoryProofGuards = (): ProofGuards => {
  const spent = new Set<string>()
  return {
    async spend(tenant, { hash }) {
      const name = `${tenant}\0${hash}`
      return !spent.has(name) && spent.add(name).has(name)
    },
  }
}
