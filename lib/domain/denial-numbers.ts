// Every denial has a number of the instance that made it, in full or counted only: 1, 2, 3 … in each tenant. What is missing between two
// that are in full must be in the counts; a gap that no count explains is a denial that was lost. Pure: the caller holds it.
import type { Denial } from './grant-record.ts'

/** `instance`: a UUID of the process. Tenants are those there are: what names none is all counted under ''. */
export const numberedDenials = (instance: string): ((denial: Denial) => Denial) => {
  const last = new Map<string, number>()
  return (denial) => {
    const number = (last.get(denial.tenant) ?? 0) + 1
    last.set(denial.tenant, number)
    return { ...denial, counted: { instance, number } }
  }
}
