// Proof of an operator on AWS: SQS itself names the principal that sent a message (SenderId), which no sender can choose.
// For a session of a role it is `<role id>:<session name>`, and a role id is never given out twice.
import type { OrderProofs } from '../../ports/revocation-orders.ts'

/** `roleIds`: of the roles whose sessions may give orders (AROA…), from the stack. */
export const createSenderProofs = (roleIds: readonly string[]): OrderProofs => ({
  async verify({ proof }, sender) {
    if (proof.kind !== 'sender' || sender === null) return null
    const [roleId, session] = sender.split(':')
    return session !== undefined && roleIds.includes(roleId as string) ? `aws:${sender}` : null
  },
})
