// Revocations as rows. Only the revoke function writes them; mint reads them through TenantState (ports/grant-store.ts).
import type { Revocation } from '../domain/revocation.ts'

export type Lift = {
  readonly tenant: string
  readonly id: string
  readonly by: string
  readonly reason: string
  readonly atSeconds: number
}

/** For lists that may be long. */
export interface RevocationPages {
  /**
   * In force, in the order of their last change, at most `max` behind a cursor (0: from the start); `next` is null with the
   * last. What changes between two pages comes once more, later; nothing is passed over.
   */
  page(
    tenant: string,
    after: number,
    max: number,
  ): Promise<{ readonly revocations: readonly Revocation[]; readonly next: number | null }>
  /** In force; null: there is none of this id. */
  find(tenant: string, id: string): Promise<Revocation | null>
}

export interface RevocationStore {
  /**
   * Durable, and seen by every TenantState read that begins after it resolved. A monotone merge by (tenant, selector, form):
   * a block in force stays as it is, a cut keeps the later bound. Returns the revocation that is in force now. `order`: the id of
   * the order it is of; a store that numbers changes says it there, so that every order carried out is found by number.
   */
  put(revocation: Revocation, order?: string): Promise<Revocation>
  /** All in force, oldest first. */
  list(tenant: string): Promise<readonly Revocation[]>
  /** Lifts a block, on record. False: no block in force of this tenant has the id. A cut is never lifted: it has done its work. */
  lift(lift: Lift): Promise<boolean>
}
