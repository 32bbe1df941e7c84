// Proof of an operator at the broker's machine: whoever may write the store may give orders there (design §2). Within the
// data directory (0700) nobody else can have written the order, so what is left to verify is whose directory it is.
import type { OrderProofs } from '../../ports/revocation-orders.ts'

const ROOT = 0

/** `ownerUid`: of the database file. */
export const createOperatorProofs = (ownerUid: number): OrderProofs => ({
  async verify({ proof }) {
    const isOperator = proof.kind === 'uid' && (proof.uid === ownerUid || proof.uid === ROOT)
    return isOperator ? `uid:${proof.uid}` : null
  },
})
