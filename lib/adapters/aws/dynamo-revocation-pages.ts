// Lists of revocations for operators, in the order of the feed's numbers: a change has one of its own, so a page is bounded however
// many came in one second, and what is written later is behind every cursor there is. What a revocation says, its row says. All
// rows of the tenant are read for each page: few look, and an index would be one more thing to pay for with every revocation.
import type { Revocation, Selector } from '../../domain/revocation.ts'
import type { RevocationChanges } from '../../ports/revocation-feed.ts'
import type { RevocationPages, RevocationStore } from '../../ports/revocations.ts'

/** The cursor is the number of a change. A revocation that changed again between two pages is in both. */
export const createRevocationPages = (
  { since }: Pick<RevocationChanges, 'since'>,
  { list }: Pick<RevocationStore, 'list'>,
): RevocationPages => ({
  async page(tenant, after, max) {
    // INVARIANT: the changes first. A change is numbered after its row is written, so its row is among those read afterwards.
    const { head, next, changes } = await since(tenant, after, max)
    const inForce = new Map((await list(tenant)).map((revocation) => [nameOf(revocation), revocation]))
    return {
      revocations: changes.flatMap((change) => inForce.get(nameOf(change)) ?? []),
      next: next < head ? next : null,
    }
  },
  find: async (tenant, id) => (await list(tenant)).find((revocation) => revocation.id === id) ?? null,
})

const nameOf = ({ kind, issuer, value, form }: Selector & Pick<Revocation, 'form'>): string =>
  JSON.stringify([kind, issuer, value, form])
