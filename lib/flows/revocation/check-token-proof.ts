// The proof of an order that came over HTTP: the token of whoever gave it (design §2: orders carry their proof and `revoke`
// verifies it again). A queue lies between: whoever can write to it has an order carried out only with a token that could have
// given it when it was given.
import { parseCompactJws } from '../../domain/compact-jws.ts'
import { LIMITS } from '../../domain/limits.ts'
import { hasOwnScope } from '../../domain/own-token.ts'
import type { LiftOrder, OrderProof, RevocationOrder } from '../../domain/revocation-order.ts'
import type { TenantConfig } from '../../domain/tenant-config.ts'
import type { Clock } from '../../ports/clock.ts'
import type { OrderProofs } from '../../ports/revocation-orders.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { checkTokenProof } from '../check-proof.ts'
import { type LiveToken, type OwnTokenPorts, verifyOwnToken } from '../verify-own-token.ts'

export type TokenProofPorts = OwnTokenPorts & {
  readonly tenants: TenantDirectory
  readonly clock: Clock
}

/** `<SPIFFE ID> <jti>` stands behind the order. */
export const createTokenProofs = (ports: TokenProofPorts): OrderProofs => {
  const judging = new Map<string, Promise<Giver | null>>()
  // A script gives thousands of orders with one token: those under way together have it judged once.
  const giverOf = (order: RevocationOrder, { token, dpop = '' }: TokenProof): Promise<Giver | null> => {
    const name = `${order.tenant} ${order.orderedAtSeconds} ${token} ${dpop}`
    const begun = judging.get(name) ?? whoGave(ports, order, { token, dpop }).finally(() => judging.delete(name))
    judging.set(name, begun)
    return begun
  }
  return {
    async verify(order) {
      if (order.proof.kind !== 'token') return null
      const giver = await giverOf(order, order.proof)
      return giver !== null && (await mayOrder(ports, giver, order)) ? nameOf(giver) : null
    },
  }
}

/** The same for lifting a block, which takes scope admin. */
export const checkLiftProof = async (ports: TokenProofPorts, order: LiftOrder): Promise<string | null> => {
  const giver = await whoGave(ports, order, order.proof)
  return giver !== null && hasOwnScope(giver.token, 'admin', giver.config.issuerUrl) ? nameOf(giver) : null
}

type TokenProof = Pick<Extract<OrderProof, { kind: 'token' }>, 'token' | 'dpop'>
type Giver = LiveToken & { readonly config: TenantConfig }

const nameOf = ({ token }: Giver): string => `${token.subject} ${token.jti}`

const whoGave = async (
  ports: TokenProofPorts,
  { tenant, orderedAtSeconds }: Pick<RevocationOrder, 'tenant' | 'orderedAtSeconds'>,
  { token: raw, dpop = '' }: TokenProof,
): Promise<Giver | null> => {
  const ageSeconds = ports.clock.nowSeconds() - orderedAtSeconds
  if (ageSeconds < -LIMITS.leewaySeconds || ageSeconds > LIMITS.orderWaitSecondsMax) return null
  // What may have moved since is seen by verifyOwnToken, which reads the version and the key strongly.
  const config = ports.tenants.peek(tenant) ?? (await ports.tenants.current(tenant))
  if (config === null) return null
  const live = await verifyOwnToken(ports, config, raw, { atSeconds: orderedAtSeconds, isPast: true })
  if (!live.ok) return null
  const { jkt } = live.value.token
  if (jkt !== null && !isProven(ports, config, { raw, jkt }, { dpop, atSeconds: orderedAtSeconds })) return null
  return { ...live.value, config }
}

/**
 * Of a bound token the key must have spoken too: a proof of this token, for an order to this tenant, of the time it was given. That
 * it was shown for the first time then is the endpoint's to know.
 */
const isProven = (
  ports: TokenProofPorts,
  { issuerUrl }: TenantConfig,
  token: { readonly raw: string; readonly jkt: string },
  { dpop, atSeconds }: { readonly dpop: string; readonly atSeconds: number },
): boolean => {
  const parsed = parseCompactJws(dpop)
  const url = parsed.ok ? parsed.value.claims['htu'] : null
  if (typeof url !== 'string' || !url.startsWith(`${issuerUrl}/`)) return false
  return checkTokenProof(ports, { proof: dpop, method: 'POST', url }, token, atSeconds).ok
}

/**
 * Scope admin: any predicate. Scope revoke: one credential. Without either: the credential itself. One credential brings the
 * assertion it came from with it, and nothing else.
 */
const mayOrder = async (
  ports: TokenProofPorts,
  { token, config }: Giver,
  { tenant, selectors, form }: RevocationOrder,
): Promise<boolean> => {
  if (hasOwnScope(token, 'admin', config.issuerUrl)) return true
  const [first, ...following] = selectors
  if (form !== 'block' || first?.kind !== 'credential') return false
  if (first.value !== token.jti && !hasOwnScope(token, 'revoke', config.issuerUrl)) return false
  const found = await ports.records.find(first.value, tenant)
  if (found?.kind !== 'allow') return false
  const { replayKey } = found.record.evidence
  return following.every(({ kind, value }) => kind === 'assertion' && value === replayKey)
}
