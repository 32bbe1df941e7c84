// Introspection (RFC 7662): what a token of this tenant is, now, for a resource server that may know. Anything else about any
// token, another tenant's, another audience's, spent, forged or none at all, is the one answer "not active" (§2.2).
import type { Call, CallAnswer } from '../domain/call.ts'
import { LIMITS } from '../domain/limits.ts'
import type { OwnToken } from '../domain/own-token.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { asCaller, type Caller, type CallerPorts } from './authorize-caller.ts'
import { verifyOwnToken } from './verify-own-token.ts'

/** `token`: null where the form has none, or is none. */
export type IntrospectionRequest = Call & { readonly token: string | null }

/** Null: not active, and that is all there is to say. */
export type Introspected = OwnToken | null

export type IntrospectPorts = CallerPorts & {
  /** Left out: the platform keeps the clock. */
  readonly isClockTrusted?: () => boolean
}

/** Throws Unavailable: also while the clock may have gone back, for then what has expired would be active again. */
export const introspectToken = (
  ports: IntrospectPorts,
  request: IntrospectionRequest,
): Promise<CallAnswer<Introspected>> =>
  asCaller(ports, request, 'introspect', (caller) => introspect(ports, caller, request.token))

const introspect = async (
  ports: IntrospectPorts,
  { config, token: caller }: Caller,
  raw: string | null,
): Promise<Result<Introspected>> => {
  if (raw === null) return refuse('request_malformed', { problem: 'token is missing' })
  if (ports.isClockTrusted?.() === false) throw new Unavailable('clock_untrusted', LIMITS.clockStepSecondsMax)
  const live = await verifyOwnToken(ports, config, raw, { atSeconds: ports.clock.nowSeconds() })
  if (!live.ok) return ok(null)
  const { token } = live.value
  return ok(caller.introspects === null || caller.introspects.includes(token.audience) ? token : null)
}
