// Denials and decisions in this process: what exceeds the budget is counted, as in a real store.
import { isWithinBudget, newDenialCounters } from '../../domain/denial-budget.ts'
import { addToRollUp, type GatheredRollUp, newRollUps } from '../../domain/denial-roll-up.ts'
import type { Denial, GrantRecord, NotIssued } from '../../domain/grant-record.ts'
import type { DecisionLookup, DenialQueue } from '../../ports/decisions.ts'

export type MemoryDenials = DenialQueue &
  DecisionLookup & {
    /** Those recorded in full, in order. */
    readonly denials: () => readonly Denial[]
    readonly rollUps: () => readonly GatheredRollUp[]
  }

type Grants = { readonly records: () => readonly GrantRecord[]; readonly outcomes: () => readonly NotIssued[] }

/** `grants`: where find() looks for allows. */
export const createMemoryDenials = (
  grants: Grants,
  { rollUps: isBudgeted }: { readonly rollUps: boolean } = { rollUps: true },
): MemoryDenials => {
  const counters = newDenialCounters()
  const gathered = newRollUps()
  const full: Denial[] = []
  const rollUps = (): readonly GatheredRollUp[] => [...gathered.rows.values()]
  return {
    send(denial) {
      if (!isBudgeted || isWithinBudget(counters, denial, 0)) full.push(denial)
      else addToRollUp(gathered, denial)
    },
    async find(decisionId, tenant) {
      const isOurs = (row: { readonly tenant: string }): boolean => tenant === null || row.tenant === tenant
      const record = grants.records().find((row) => row.decisionId === decisionId && isOurs(row))
      if (record !== undefined) {
        const notIssued = grants.outcomes().find((row) => row.decisionId === decisionId) ?? null
        return { kind: 'allow', record, notIssued }
      }
      const denial = full.find((row) => row.decisionId === decisionId && isOurs(row))
      if (denial !== undefined) return { kind: 'deny', denial }
      const rollUp = rollUps().find((row) => row.listed.includes(decisionId) && isOurs(row))
      if (rollUp === undefined) return null
      const { minute, kind, source, count } = rollUp
      return { kind: 'rolled_up', rollUp: { tenant: rollUp.tenant, minute, kind, source, count } }
    },
    denials: () => full,
    rollUps,
  }
}
