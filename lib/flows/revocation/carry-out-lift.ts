// revoke: an order from afar to lift a block (design §3: recorded, attributed). The proof is verified again. A block that is no
// longer in force was lifted by an earlier delivery, or by somebody else: there is nothing left to do.
import { isReason, type LiftOrder, type OrderRefusal } from '../../domain/revocation-order.ts'
import type { RevocationStore } from '../../ports/revocations.ts'
import { checkLiftProof, type TokenProofPorts } from './check-token-proof.ts'

export type CarryOutLiftPorts = TokenProofPorts & { readonly revocations: Pick<RevocationStore, 'list' | 'lift'> }

export type LiftOutcome = 'done' | { readonly refusal: OrderRefusal }

/** Throws Unavailable; safe to repeat. */
export const carryOutLift = async (ports: CarryOutLiftPorts, order: LiftOrder): Promise<LiftOutcome> => {
  const { tenant, lifts: id, reason } = order
  if (!isReason(reason)) return { refusal: 'reason_invalid' }
  const by = await checkLiftProof(ports, order)
  if (by === null) return { refusal: 'proof_not_accepted' }
  const found = (await ports.revocations.list(tenant)).find((revocation) => revocation.id === id)
  // Those of the whole tenant are lifted at the broker's machine (design §5), where no token counts.
  if (found?.kind === 'tenant') return { refusal: 'proof_not_accepted' }
  if (found !== undefined) await ports.revocations.lift({ tenant, id, by, reason, atSeconds: ports.clock.nowSeconds() })
  return 'done'
}
