// Revocation of one token by whoever holds it or has scope revoke (RFC 7009; design §5). It becomes an order like any other.
import type { Call, CallAnswer } from '../../domain/call.ts'
import { hasOwnScope, isForUs } from '../../domain/own-token.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { RevocationOrder } from '../../domain/revocation-order.ts'
import type { Queue } from '../../ports/queue.ts'
import { asCaller, type Caller, type CallerPorts, NOT_FOR_US } from '../authorize-caller.ts'
import { type LiveToken, verifyOwnToken } from '../verify-own-token.ts'

export type RevokeTokenPorts = CallerPorts & { readonly orders: Queue }

/** `token`: null where the form has none, or is none. */
export type TokenRevocation = Call & { readonly token: string | null }

/** Done: the order is accepted, or there was nothing to revoke (RFC 7009 §2.2), and which of the two is not told. */
export const revokeToken = (ports: RevokeTokenPorts, request: TokenRevocation): Promise<CallAnswer<null>> =>
  // Any live token of the tenant will do, whatever its audience: all it allows without a scope is its own end.
  asCaller(ports, request, null, (caller) => revoke(ports, caller, request.token))

const revoke = async (ports: RevokeTokenPorts, caller: Caller, raw: string | null): Promise<Result<null>> => {
  if (raw === null) return refuse('request_malformed', { problem: 'token is missing' })
  const { config, token } = caller
  const isItsOwn = raw === caller.raw
  // Before the token is looked at, or the answer would tell whether it is one.
  if (!isItsOwn && !isForUs(token, config.issuerUrl)) return refuse('caller_invalid', NOT_FOR_US)
  if (!isItsOwn && !hasOwnScope(token, 'revoke', config.issuerUrl) && !hasOwnScope(token, 'admin', config.issuerUrl))
    return refuse('caller_rights', { jti: token.jti, needs: 'revoke' })
  const live = isItsOwn ? ok(caller) : await verifyOwnToken(ports, config, raw, { atSeconds: ports.clock.nowSeconds() })
  if (live.ok) await order(ports, caller, live.value, isItsOwn ? 'revoked by its holder' : 'revoked under RFC 7009')
  return ok(null)
}

const order = async (ports: RevokeTokenPorts, caller: Caller, { record }: LiveToken, reason: string): Promise<void> => {
  const { tenant } = caller.config
  const given: RevocationOrder = {
    v: 1,
    id: ports.ids.decisionId(),
    tenant,
    selectors: [
      { kind: 'credential', issuer: '', value: record.credential.jti },
      // Or reusable evidence would simply be redeemed again (design §3).
      { kind: 'assertion', issuer: '', value: record.evidence.replayKey },
    ],
    form: 'block',
    reason,
    proof: caller.orderProof,
    orderedAtSeconds: ports.clock.nowSeconds(),
  }
  // Urgent: whoever holds a token is at hand, and a storm of reported ones is not theirs to wait out.
  await ports.orders.send(given, { group: tenant, dedupe: given.id, isUrgent: true })
}
