// Lists of revocations for operators, from the rows that decide. All rows of the tenant are read for each page: few look, and an
// index would be one more thing to pay for with every revocation.
import type { RevocationPages, RevocationStore } from '../../ports/revocations.ts'

/** The cursor is the second of the last one; a page ends with a whole second, so that none of it is passed over. */
export const createRevocationPages = ({ list }: Pick<RevocationStore, 'list'>): RevocationPages => ({
  async page(tenant, after, max) {
    const behind = (await list(tenant)).filter(({ atSeconds }) => atSeconds > after)
    const end = behind[max - 1]?.atSeconds ?? Number.POSITIVE_INFINITY
    const revocations = behind.filter(({ atSeconds }) => atSeconds <= end)
    return { revocations, next: revocations.length < behind.length ? end : null }
  },
  find: async (tenant, id) => (await list(tenant)).find((revocation) => revocation.id === id) ?? null,
})
