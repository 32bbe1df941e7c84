// A cloud in this process: opens what it is asked for, keeps the orders, and can be told to refuse or to be away.
import type { CloudSession } from '../../domain/aws-session.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { AssumedRoleSessions, CloudSessions, WebIdentitySessions } from '../../ports/cloud-sessions.ts'

type Order = Parameters<WebIdentitySessions['open']>[0] | Parameters<AssumedRoleSessions['open']>[0]

export type MemoryCloud = CloudSessions & { readonly orders: readonly Order[] }

/** `answer` is asked first; it may throw Unavailable or refuse. */
export const createMemoryCloudSessions = (
  nowSeconds: () => number,
  answer: (order: Order) => Promise<Result<null>> = async () => ok(null),
): MemoryCloud => {
  const orders: Order[] = []
  const open = async (order: Order): Promise<Result<CloudSession>> => {
    orders.push(order)
    const answered = await answer(order)
    if (!answered.ok) return answered
    const expiresAtSeconds = nowSeconds() + order.durationSeconds
    return ok({
      accessKeyId: `ASIAMEMORY${String(orders.length).padStart(10, '0')}`,
      secretAccessKey: 'memory+secret/key',
      sessionToken: 'memory+session/token==',
      expiresAtSeconds,
      expiration: `${new Date(expiresAtSeconds * 1_000).toISOString().slice(0, 19)}Z`,
    })
  }
  return { webIdentity: { open }, assumedRole: { open }, orders }
}
