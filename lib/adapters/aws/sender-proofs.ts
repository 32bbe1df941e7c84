// Proof of an operator on AWS: SQS itself names the principal that sent a message (SenderId), which no sender can choose.
// For a session of a role it is `<role id>:<session name>`, and a role id is never given out twice.
import type { OrderProofs } from '../../ports/revocation-orders.ts'

/** `roleIds`: AROA…, from the stack. */
export const isSessionOf = (roleIds: readonly string[], sender: string): boolean => {
  const [roleId, session] = sender.split(':')
  return session !== undefined && roleIds.includes(roleId as string)
}

/** `roleIds`: of the roles whose sessions may give orders. */
export const createSenderProofs = (roleIds: readonly string[]): OrderProofs => ({
  async verify({ proof }, sender) {
    if (proof.kind !== 'sender' || sender === null) return null
    return isSessionOf(roleIds, sender) ? `aws:${sender}` : null
  },
})
